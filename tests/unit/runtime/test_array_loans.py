"""Loans as numpy arrays: written in place, sent once, and dead afterwards."""

from __future__ import annotations

import gc
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from doraflow_runtime.node_api import numpy_arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run
    from doraflow_runtime.node_api.events import Event
    from doraflow_runtime.node_api.node import Node

FRAME = (48, 64, 3)


def pair(run: Run) -> tuple[Node, Node]:
    run.pair()
    a, b = run.join("a", "b")
    return a, b


def next_of(node: Node) -> Event:
    event = node.next(5)
    assert event is not None
    assert event.type == "INPUT", event.id
    return event


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "uint64", "float16", "float32", np.float64])
@pytest.mark.parametrize("shape", [(2, 3, 4), (5000,), 7, (0, 3), ()])
def test_an_array_arrives_with_its_shape_and_type(run: Run, shape: Any, dtype: Any) -> None:
    a, b = pair(run)
    with a.loan_array("out", shape, dtype) as array:
        wanted = np.arange(array.size).reshape(array.shape).astype(dtype)
        array[...] = wanted
    got = next_of(b).numpy()
    assert got.dtype == np.dtype(dtype)
    assert got.shape == np.zeros(shape).shape
    assert (got == wanted).all()
    assert not got.flags.writeable


def test_nothing_is_copied_on_the_way(run: Run) -> None:
    a, b = pair(run)
    with a.loan_array("out", FRAME) as frame:
        written = frame.ctypes.data
        frame[...] = 7
    event = next_of(b)
    values = event.value
    assert values is not None
    (slot,) = a._core.pool.slots
    assert np.frombuffer(slot.memory, np.uint8).ctypes.data == written
    slot.memory[5] = 99  # what no node may do: the reader sees it, since it looks at the same memory
    assert event.numpy().ravel()[:7].tolist() == [7, 7, 7, 7, 7, 99, 7]
    assert np.shares_memory(event.numpy(), values.to_numpy())
    assert event.numpy().ctypes.data == values.buffers()[1].address  # type: ignore[union-attr]


def test_after_sending_neither_the_array_nor_a_slice_of_it_can_be_written(run: Run) -> None:
    a, b = pair(run)
    with a.loan_array("out", FRAME) as frame:
        frame[...] = 1
        line, wide, turned = frame[3], frame.reshape(-1).view(np.uint64), frame.T[0][1:]
        copy = frame.copy()
        part_of_copy = copy[2]
        lines = [line for line in frame for line in (line[:2], line[2:])]
    for view in (frame, line, wide, turned, frame[1], *lines):
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 2
    copy[...], part_of_copy[...] = 2, 3
    assert (next_of(b).numpy() == 1).all()


def test_an_exception_sends_nothing_and_gives_the_memory_back(run: Run) -> None:
    a, b = pair(run)
    with pytest.raises(KeyError), a.loan_array("out", FRAME) as frame:
        raise KeyError
    assert a._core.pool.slots_in_use == 0
    with pytest.raises(ValueError, match="read-only"):
        frame[0] = 1
    assert b.next(0.1) is None


def test_a_loan_is_entered_once_and_not_inside_itself(run: Run) -> None:
    a, b = pair(run)
    loan = a.loan_array("out", 4)
    with (
        loan as array,
        pytest.raises(RuntimeError, match="this loan on `out` is being written already; take another one beside it"),
        loan,
    ):
        pass
    assert array.shape == (4,)
    with pytest.raises(RuntimeError, match="a loan can be used once; take another one for the next message"), loan:
        pass
    assert len(next_of(b).numpy()) == 4
    assert b.next(0.1) is None


def test_two_loans_at_once_are_two_messages(run: Run) -> None:
    a, b = pair(run)
    with a.loan_array("out", 5000) as one, a.loan_array("out", 6000) as two:
        assert not np.shares_memory(one, two)
        one[...], two[...] = 1, 2
    assert [(len(got), got[0]) for got in (next_of(b).numpy(), next_of(b).numpy())] == [(6000, 2), (5000, 1)]


def test_loans_inside_loans_that_would_wait_for_each_other_are_refused(run: Run) -> None:
    a, b = pair(run)
    a._core.pool.limit = 2**20
    with (
        a.loan_array("out", 500_000) as outer,
        a.loan_array("out", 490_000),
        pytest.raises(RuntimeError) as raised,
        a.loan_array("out", 300_000),
    ):
        outer[...] = 1
    assert str(raised.value) == (
        "there are no 300000 bytes for `out`: the loans that this thread has open (2) hold the node's shared memory of "
        "1048576; leave one of them first"
    )
    assert [len(next_of(b).numpy()) for _ in range(2)] == [490_000, 500_000]
    assert not [slot for slot in a._core.pool.slots if slot.lent_by]


def test_a_message_is_not_waited_for_inside_the_loan_that_holds_its_memory(run: Run) -> None:
    a, b = pair(run)
    a._core.pool.limit = 2**20
    refused = pytest.raises(RuntimeError, match=r"for `out`: the loans that this thread has open \(1\) hold")
    with refused, a.loan("out", 600_000):
        a.send_output("out", bytes(600_000))
    a.send_output("out", bytes(600_000))
    assert len(next_of(b).numpy()) == 600_000


def test_a_loan_that_outlives_its_node_is_written_but_not_sent(run: Run) -> None:
    a, _ = pair(run)
    with (
        pytest.raises(RuntimeError, match="node `a` is closed and cannot send any more"),
        a.loan_array("out", FRAME) as frame,
    ):
        a.close()
        frame[...] = 1


FORGOTTEN: dict[str, Callable[[Node], object]] = {
    "bytes": lambda node: node.loan("out", 5000),
    "array": lambda node: node.loan_array("out", 5000),
    "arrow": lambda node: node.loan_arrow("out", pa.int8(), 5000),
}


@pytest.mark.parametrize("kind", FORGOTTEN)
def test_a_forgotten_loan_is_told_and_gives_its_memory_back(
    run: Run, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    a, _ = pair(run)
    FORGOTTEN[kind](a)
    gc.collect()
    assert a._core.pool.slots_in_use == 0
    line = json.loads(capfd.readouterr().out)
    assert line["level"] == "warn"
    assert line["message"] == "a loan on `out` was dropped and nothing sent: write it inside `with`, which sends it"


def test_metadata_of_another_message_is_handed_on_with_the_new_shape(run: Run) -> None:
    a, b = pair(run)
    with a.loan_array("out", (2, 2), metadata={"shape": [9, 9], "photo": "x"}):
        pass
    first = next_of(b)
    assert first.metadata.parameters == {"photo": "x", "shape": [2, 2]}
    with a.loan_array("out", (3,), metadata=first.metadata):
        pass
    assert next_of(b).metadata.parameters == {"photo": "x", "shape": [3]}


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (((2,), "bool"), TypeError, "a loan has integers or floats of this machine's byte order, not bool"),
        (((2,), "complex64"), TypeError, "a loan has integers or floats of this machine's byte order, not complex64"),
        (((2,), ">u2"), TypeError, "a loan has integers or floats of this machine's byte order, not >u2"),
        (((2, -1), "u1"), ValueError, "a shape has no negative sizes: (2, -1)"),
    ],
)
def test_what_cannot_be_lent_is_told(run: Run, arguments: Any, error: type[Exception], text: str) -> None:
    a, _ = pair(run)
    with pytest.raises(error) as raised:
        a.loan_array("out", *arguments)
    assert str(raised.value) == text
    assert a._core.pool.slots_in_use == 0


def test_the_results_of_arithmetic_are_ordinary_arrays(run: Run) -> None:
    a, _ = pair(run)
    with a.loan_array("out", (3, 3)) as array:
        assert type(array + 1) is np.ndarray
        assert type(array.sum(axis=0)) is np.ndarray
        assert type(array.max()) is np.uint8
        np.add(array, 1, out=array)
        assert array.tolist() == [[1] * 3] * 3


def test_without_numpy_one_sentence_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    a, _ = pair(run)
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, numpy_arrays.__name__)
    monkeypatch.delattr("doraflow_runtime.node_api.numpy_arrays")
    with pytest.raises(ModuleNotFoundError) as raised:
        a.loan_array("out", 3)
    assert str(raised.value) == (
        "numpy is not installed for this node: to see messages as arrays, add `pip install numpy` to its `build`"
    )
    with a.loan_arrow("out", pa.uint8(), 3) as blank:
        assert blank.memory is not None
        blank.memory[:] = b"abc"


def test_many_large_images_need_the_memory_of_a_few(run: Run) -> None:
    a, b = pair(run)
    written, own = set(), []
    for number in range(60):
        with a.loan_image("out", 1280, 720) as frame:
            frame[...] = number
            written.add(frame.ctypes.data)
        image = next_of(b).image()
        assert (image[0, 0, 0], image[-1, -1, -1]) == (number, number)
        own.append(own_memory())
    assert len(written) <= 4
    assert own[-1] - own[9] < 20 * 2**20, "sixty images are 166 MB"


def own_memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def test_any_thread_may_take_and_fill_loans_of_its_own(run: Run) -> None:
    run.pair(size=100)
    a, b = run.join("a", "b")

    def fill(thread: int) -> None:
        for number in range(20):
            with a.loan_array("out", (40, 50), "int32", {"thread": thread, "number": number}) as array:
                array[...] = thread * 100 + number

    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(fill, thread) for thread in range(4)]
        events = [next_of(b) for _ in range(80)]
        for future in done:
            future.result()
    seen: dict[object, list[object]] = {}
    for event in events:
        told = event.metadata
        assert (event.numpy() == int(str(told["thread"])) * 100 + int(str(told["number"]))).all()
        seen.setdefault(told["thread"], []).append(told["number"])
    assert seen == {thread: list(range(20)) for thread in range(4)}


AT_EXIT = """
from doraflow_runtime.node_api.node import Node
node = Node()
{}loan = node.loan_array("out", 5000)
{}loan.__enter__()
"""


@pytest.mark.parametrize("is_entered", [True, False])
def test_a_loan_that_is_open_at_the_end_of_the_process_is_dropped_quietly(run: Run, is_entered: bool) -> None:
    run.pair()
    sender = run.spawn("a", AT_EXIT.format("", "array = " if is_entered else "# "))
    (b,) = run.join("b")
    assert [event.type for event in b] == ["INPUT_CLOSED", "STOP"]
    _, told = sender.communicate(timeout=30)
    assert (sender.returncode, told) == (0, "")


# ---- Arrow arrays

POINT = pa.struct([("position", pa.list_(pa.float32(), 3)), ("age", pa.int16()), ("tag", pa.binary(5))])


def test_an_arrow_array_is_written_member_by_member(run: Run) -> None:
    a, b = pair(run)
    with a.loan_arrow("out", POINT, 1000, {"n": 1}) as cloud:
        cloud["position"].numpy()[...] = np.arange(3000).reshape(1000, 3)
        ages = cloud["age"].numpy()
        ages[...] = np.arange(1000)
        tags = cloud["tag"].memory
        assert tags is not None
        tags[:] = b"hello" * 1000
        assert len(cloud) == 1000
    event = next_of(b)
    assert event.value is not None
    event.value.validate(full=True)
    assert event.value.type == POINT
    assert event.value[999].as_py() == {"position": [2997, 2998, 2999], "age": 999, "tag": b"hello"}
    assert event.metadata["n"] == 1
    with pytest.raises(ValueError, match="read-only"):
        ages[0] = 1
    with pytest.raises(ValueError, match="released"):
        tags[0] = 1


def test_lists_of_a_fixed_size_are_dimensions(run: Run) -> None:
    a, b = pair(run)
    with a.loan_arrow("out", pa.list_(pa.list_(pa.int32(), 4), 2), 3) as blank:
        array = blank.numpy()
        assert array.shape == (3, 2, 4)
        array[...] = np.arange(24).reshape(3, 2, 4)
    got = next_of(b)
    assert got.value is not None
    assert got.value[2].as_py() == [[16, 17, 18, 19], [20, 21, 22, 23]]
    assert (got.numpy() == np.arange(24).reshape(3, 2, 4)).all()


def test_an_arrow_array_that_is_empty_or_without_members_is_sent_too(run: Run) -> None:
    a, b = pair(run)
    for kind, length in ((POINT, 0), (pa.struct([]), 3)):
        with a.loan_arrow("out", kind, length):
            pass
        value = next_of(b).value
        assert value is not None
        assert (value.type, len(value)) == (kind, length)


def test_what_arrow_gives_no_place_beforehand_is_not_lent(run: Run) -> None:
    a, _ = pair(run)
    for kind in (pa.string(), pa.bool_(), pa.struct([("x", pa.list_(pa.int8()))])):
        with pytest.raises(TypeError, match="has no place that is known before it is written: send it, or lend a type"):
            a.loan_arrow("out", kind, 3)
    with pytest.raises(ValueError, match="an array has no -1 values"):
        a.loan_arrow("out", pa.int8(), -1)
    with a.loan_arrow("out", POINT, 2) as cloud:
        with pytest.raises(TypeError, match="has no values of its own: ask for those of a member"):
            cloud.numpy()
        with pytest.raises(KeyError, match="has no member `x`; its members are: `position`, `age`, `tag`"):
            cloud["x"]
