"""The ground of generated stubs: what may be sent and read on a typed port, and the exact words when it may not."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from doraflow_runtime.node_api import rows
from doraflow_runtime.node_api.joining import CONFIG_VARIABLE
from doraflow_runtime.node_api.metadata import Metadata, encode
from doraflow_runtime.node_api.typed import (
    ArrayEvent,
    ArrayOutput,
    ByteArrayOutput,
    BytesOutput,
    InputClosed,
    NumberOutput,
    PictureOutput,
    ScalarOutput,
    Stop,
    StructOutput,
    TypedNode,
    array_of,
    only,
    require_contract,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Run


@dataclass(frozen=True, slots=True)
class Frame:
    """Written as the generator writes them."""

    width: int
    data: bytes | memoryview

    @classmethod
    def arrow_type(cls) -> pa.StructType:
        return pa.struct([pa.field("width", pa.uint8()), pa.field("data", pa.large_binary())])

    @classmethod
    def to_arrow(cls, items: Sequence[Frame]) -> pa.StructArray:
        columns = [
            pa.array([item.width for item in items], pa.uint8()),
            rows.binary_column((item.data for item in items), pa.large_binary()),
        ]
        return rows.struct_array(cls.arrow_type(), columns)

    @classmethod
    def from_arrow(cls, array: pa.StructArray) -> tuple[Frame, ...]:
        columns = rows.columns(array, cls.arrow_type())
        return tuple(cls(*values) for values in zip(rows.values(columns[0]), rows.binaries(columns[1]), strict=True))


class Picture(Frame):
    """The Arrow type is all that a loan asks for."""

    @classmethod
    def arrow_type(cls) -> pa.StructType:
        size = [pa.field("width", pa.uint32()), pa.field("height", pa.uint32())]
        return pa.struct([*size, pa.field("encoding", pa.string()), pa.field("data", pa.large_binary())])


class Point(Frame):
    """As above."""

    @classmethod
    def arrow_type(cls) -> pa.StructType:
        return pa.struct([pa.field("x", pa.float64()), pa.field("y", pa.int8())])


def received(run: Run, send: Callable[[Any], object]) -> pa.Array[Any]:
    """What arrives of what `send` does with the sending node."""
    run.pair()
    a, b = run.join("a", "b")
    send(a)
    event = b.next(5)
    assert event is not None
    assert event.value is not None
    return event.value


def test_rows_arrive_as_the_dataclasses_that_were_sent(run: Run) -> None:
    frames = [Frame(3, b"abc"), Frame(4, bytes(10_000))]
    array = received(run, lambda node: StructOutput(node, "out", Frame).send(frames))
    again = Frame.from_arrow(rows_of(array, Frame, "in"))
    assert [(frame.width, bytes(frame.data)) for frame in again] == [(3, b"abc"), (4, bytes(10_000))]
    data = array.buffers()[5]
    assert data is not None
    assert np.frombuffer(again[1].data, np.uint8).ctypes.data == data.address + 3


def test_a_single_row_may_be_sent_alone(run: Run) -> None:
    array = received(run, lambda node: StructOutput(node, "out", Frame).send(Frame(3, memoryview(b"abc"))))
    assert array.to_pylist() == [{"width": 3, "data": b"abc"}]


def test_numbers_and_bytes_are_sent_as_arrays_of_their_type(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    ScalarOutput[Any, float](a, "out", pa.float32()).send([1, 2.5])
    ScalarOutput[Any, float](a, "out", pa.float32()).send(pa.array([3], pa.float32()))
    BytesOutput[Any](a, "out", pa.binary()).send([b"abc"])
    ArrayOutput(a, "out").send(pa.array(["text"]))
    with ByteArrayOutput[Any](a, "out", pa.uint8()).loan(2) as memory:
        memory[:] = b"\x01\x02"
    with BytesOutput[Any](a, "out", pa.large_binary()).loan(3) as memory:
        memory[:] = b"xyz"
    seen = [event.value for event in (b.next(5) for _ in range(6)) if event]
    assert seen == [
        pa.array([1, 2.5], pa.float32()),
        pa.array([3], pa.float32()),
        pa.array([b"abc"], pa.binary()),
        pa.array(["text"]),
        pa.array([1, 2], pa.uint8()),
        pa.array([b"xyz"], pa.large_binary()),
    ]


def test_typed_outputs_lend_arrays_of_their_type(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    with NumberOutput[Any, float](a, "out", pa.float32()).loan(shape=(2, 3)) as array:
        array[...] = 1.5
    with ByteArrayOutput[Any](a, "out", pa.uint8()).loan(shape=4) as array:
        array[...] = 7
    with ByteArrayOutput[Any](a, "out", pa.uint8()).loan_image(width=2, height=1, encoding="mono8") as array:
        array[...] = 8
    with ArrayOutput(a, "out").loan(2) as memory:
        memory[:] = b"\x01\x02"
    with ArrayOutput(a, "out").loan(shape=(1, 2), dtype="int16") as array:
        array[...] = -1
    with ArrayOutput(a, "out").loan_image(width=1, height=1) as array:
        array[...] = 9
    with ArrayOutput(a, "out").loan_arrow(pa.list_(pa.int8(), 2), 1) as blank:
        blank.numpy()[...] = 3
    seen = [event for event in (b.next(5) for _ in range(7)) if event]
    assert [event.numpy().tolist() for event in seen] == [
        [[1.5] * 3] * 2,
        [7] * 4,
        [[8, 8]],
        [1, 2],
        [[-1, -1]],
        [[[9, 9, 9]]],
        [[3, 3]],
    ]
    assert [str(event.value.type) for event in seen if event.value is not None][:2] == ["float", "uint8"]


def test_rows_are_lent_as_pixels_and_as_columns(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    with PictureOutput(a, "out", Picture).loan_image(width=3, height=2, encoding="mono16", metadata={"n": 1}) as lent:
        lent[...] = np.arange(6).reshape(2, 3)
    event = b.next(5)
    assert event is not None
    assert event.metadata.parameters == {"n": 1}
    assert event.image().tolist() == [[0, 1, 2], [3, 4, 5]]
    with StructOutput(a, "out", Point).loan_rows(2) as columns:
        columns["x"].numpy()[...] = [1, 2]
        columns["y"].numpy()[...] = 0
    event = b.next(5)
    assert event is not None
    assert event.value is not None
    assert event.value.to_pylist() == [{"x": 1.0, "y": 0}, {"x": 2.0, "y": 0}]
    with pytest.raises(TypeError, match="large_binary has no place that is known before it is written"):
        StructOutput(a, "out", Frame).loan_rows(2)


def test_a_loan_is_of_some_size(run: Run) -> None:
    run.pair()
    a, _ = run.join("a", "b")
    outputs: list[Any] = [ArrayOutput(a, "out"), ByteArrayOutput[Any](a, "out", pa.uint8())]
    for output in outputs:
        with pytest.raises(TypeError, match="a loan is of a `size` in bytes or of a `shape`"):
            output.loan()


@dataclass(frozen=True, slots=True)
class Numbers(ArrayEvent):
    """Written as the generator writes events."""

    value: pa.UInt8Array
    metadata: Metadata


def test_events_of_numbers_can_be_seen_as_arrays_tensors_and_images() -> None:
    told = Metadata(0, encode({"shape": [2, 3], "width": 3, "height": 2, "encoding": "mono8"}))
    event = Numbers(pa.array(range(6), pa.uint8()), told)
    assert event.numpy().tolist() == event.image().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert event.tensor().shape == (2, 3)


NOBODY: Any = SimpleNamespace(send_output=None)


@pytest.mark.parametrize(
    ("send", "message"),
    [
        (lambda: ArrayOutput(NOBODY, "o").send([1]), "output `o` sends a pyarrow.Array, got list"),
        (
            lambda: ScalarOutput(NOBODY, "o", pa.uint8()).send(pa.array([1])),
            "output `o` sends uint8, got an array of int64",
        ),
        (
            lambda: ScalarOutput(NOBODY, "o", pa.uint8()).send([300]),
            "output `o` sends uint8: Value 300 too large to fit in C integer type",
        ),
        (lambda: StructOutput(NOBODY, "o", Frame).send("x"), "output `o` sends Frame, got str"),
        (lambda: StructOutput(NOBODY, "o", Frame).send([1]), "output `o` sends Frame, got a sequence with int"),
        (
            lambda: StructOutput(NOBODY, "o", Frame).send(Frame(-1, b"")),
            "output `o` sends Frame: can't convert negative value to unsigned int",
        ),
        (lambda: array_of(pa.array(["x"]), pa.int8(), "i"), "input `i` expects int8, got an array of string"),
        (lambda: rows_of(pa.array([1]), Frame, "i"), "input `i` expects rows of Frame, got an array of int64"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(send: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError) as raised:
        send()
    assert str(raised.value) == message


def test_an_array_is_taken_as_it_is_or_widened() -> None:
    array = pa.array([1], pa.int32())
    assert array_of(array, pa.int32(), "i") is array
    assert array_of(array, pa.int64(), "i") == pa.array([1], pa.int64())


def test_several_rows_are_not_one() -> None:
    assert only((1,), "i") == 1
    with pytest.raises(ValueError, match=r"^the message on `i` has 2 rows: read `values` instead of `value`$"):
        only((1, 2), "i")


def test_stubs_of_another_contract_are_refused() -> None:
    require_contract(1, "flow_stubs.camera")
    with pytest.raises(ImportError) as raised:
        require_contract(99, "flow_stubs.camera")
    assert str(raised.value) == (
        "flow_stubs.camera was made for contract 99, this runtime speaks 1; update doraflow_runtime on this host"
    )


def test_a_typed_node_gives_the_events_of_its_stub(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.pair()
    sender = run.spawn(
        "a", "from doraflow_runtime.node_api.node import Node\nwith Node() as node: node.send_output('out', b'ab')"
    )
    monkeypatch.setenv(CONFIG_VARIABLE, str(run.config("b")))
    with TypedNode[Any]("b", {"in": lambda value, metadata: (value.to_pylist(), list(metadata))}) as node:
        assert node.next(10) == ([97, 98], ["timestamp"])
        assert list(node) == [InputClosed("in"), Stop("ALL_INPUTS_CLOSED")]
        assert node.next(0) is None
    run.finish(sender)
