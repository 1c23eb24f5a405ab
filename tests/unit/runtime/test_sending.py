"""Sending under pressure: held back, freed by a stop or a death, and what a reader's end gives back."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from conftest import Run

CHECKSUMS = """
import random, zlib
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
random.seed(7)
"""
SEND_MANY = (
    CHECKSUMS
    + """
with Node() as node:
    for number in range(2000):
        data = random.randbytes(random.choice([0, 1, 100, 4096, 4097, 30_000, 300_000]))
        node.send_output("out", data, {"number": number, "sum": zlib.crc32(data)})
"""
)
TAKE_MANY = (
    CHECKSUMS
    + """
expected, kept = 0, []
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            assert event.metadata["number"] == expected, (event.metadata, expected)
            kept = [*kept[-5:], (event.value, event.metadata["sum"])]
            for value, total in kept:
                assert zlib.crc32(memoryview(value.buffers()[1] or b"")[: len(value)]) == total
            expected += 1
print(expected)
"""
)


def test_nothing_is_lost_torn_or_reordered_when_the_sender_is_held_back(run: Run) -> None:
    run.pair(size=3)
    sender = run.spawn("a", SEND_MANY)
    receiver = run.spawn("b", TAKE_MANY)
    assert run.finish(receiver, 60) == "2000\n"
    run.finish(sender)


IDLE = """
import time
from doraflow_runtime.node_api.node import Node
node = Node()
print("ready", flush=True)
time.sleep(60)
"""
BLOCK = """
import time
from doraflow_runtime.node_api.node import Node
node = Node()
for number in range(5):
    node.send_output("out", b"x" * {size})
    print(number, flush=True)
{after}
"""


def test_a_held_back_sender_waits_and_a_stop_frees_it(run: Run) -> None:
    run.pair(size=2)
    receiver = run.spawn("b", IDLE)
    sender = run.spawn("a", BLOCK.format(size=1, after="print(node.next(0))"))
    assert receiver.stdout is not None
    assert sender.stdout is not None
    assert receiver.stdout.readline() == "ready\n"
    assert [sender.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    time.sleep(0.3)
    assert sender.poll() is None
    run.tell("a", type="stop")
    assert "type='STOP', id='MANUAL'" in run.finish(sender).splitlines()[-1]


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_held_back_sender_goes_on_when_its_reader_dies(run: Run, size: int) -> None:
    run.pair(size=2)
    receiver = run.spawn("b", IDLE)
    sender = run.spawn("a", BLOCK.format(size=size, after="print('slots', node._core.pool.slots_in_use)"))
    assert sender.stdout is not None
    assert [sender.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    receiver.send_signal(signal.SIGKILL)
    assert run.finish(sender) == "2\n3\n4\nslots 0\n"


def test_slots_that_a_dead_reader_kept_come_back(run: Run) -> None:
    run.pair(size=50, policy="drop_oldest")
    keep = "from doraflow_runtime.node_api.node import Node\nnode = Node()\nkept = [node.next() for _ in range(20)]\n"
    receiver = run.spawn("b", keep + "print('kept', flush=True)\nimport time; time.sleep(60)")
    (sender,) = run.join("a")
    for number in range(20):
        sender.send_output("out", bytes([number]) * 50_000)
    assert receiver.stdout is not None
    assert receiver.stdout.readline() == "kept\n"
    sender.is_empty()
    assert sender._core.pool.slots_in_use == 20
    receiver.kill()
    receiver.wait()
    sender.is_empty()
    assert sender._core.pool.slots_in_use == 0


def test_the_last_messages_of_a_node_that_ends_by_itself_wait_for_a_slow_reader(run: Run) -> None:
    run.node("source", ("out",))
    run.node("a", ("out",))
    run.node("b")
    run.link("source/out", "a/in")
    run.link("a/out", "b/in", 1, "backpressure")
    run.listen(3)
    source, a, b = run.join("source", "a", "b")
    source.close()
    assert [(event.type, event.id) for event in a] == [("INPUT_CLOSED", "in"), ("STOP", "ALL_INPUTS_CLOSED")]

    def finish() -> None:
        for number in range(3):
            a.send_output("out", b"", {"number": number})
        a.close()

    thread = threading.Thread(target=finish)
    thread.start()
    time.sleep(0.3)
    seen = [event.metadata["number"] for event in b if event.type == "INPUT"]
    thread.join()
    assert seen == [0, 1, 2]


def test_messages_that_another_flushes_give_their_credits_back(run: Run) -> None:
    run.pair(size=3)
    a, b = run.join("a", "b")
    for turn in range(20):
        for number in range(3):
            a.send_output("out", b"", {"turn": turn, "number": number, "flush": number == 2})
        time.sleep(0.002)  # news may be a millisecond old while messages wait
        event = b.next(5)
        assert event is not None
        assert (event.metadata["turn"], event.metadata["number"]) == (turn, 2)
        a.is_empty()
    assert b.dropped == {"in": 40}


def test_a_link_can_be_closed_alone_and_what_waits_on_it_comes_first(run: Run) -> None:
    run.node("a", ("one", "two"))
    run.node("b")
    for output in ("one", "two"):
        run.link(f"a/{output}", f"b/{output}", 5)
    run.listen(2)
    a, b = run.join("a", "b")
    for _ in range(3000):
        a.send_output("one", bytes(4000))
    a.close_output("one")
    a.send_output("one", b"lost")
    a.send_output("two", b"two")
    threading.Thread(target=a.close).start()
    events = [(event.type, event.id) for event in b]
    assert events.count(("INPUT_CLOSED", "one")) == 1
    assert events.index(("INPUT_CLOSED", "one")) > max(at for at, one in enumerate(events) if one == ("INPUT", "one"))
    assert ("INPUT", "two") in events
    assert events[-1] == ("STOP", "ALL_INPUTS_CLOSED")


def test_a_node_does_not_wait_for_itself(run: Run) -> None:
    run.node("a", ("out",))
    run.link("a/out", "a/in", 2, "backpressure")
    run.listen(1)
    (node,) = run.join("a")
    for number in range(10):
        node.send_output("out", bytes(number * 1000), {"number": number})
    assert [event.metadata["number"] for event in (node.next(5) for _ in range(10)) if event] == list(range(10))


def test_a_message_larger_than_the_shared_memory_is_refused_at_once(run: Run) -> None:
    run.pair()
    a, _ = run.join("a", "b")
    with pytest.raises(ValueError, match="does not fit into the 1073741824 that a node may share"):
        a.loan("out", 2**30 + 1)


def test_a_type_that_is_not_sent_in_place_is_not_lent(run: Run) -> None:
    run.pair()
    a, _ = run.join("a", "b")
    kind = pa.struct([("name", pa.string_view()), ("data", pa.binary())])
    with pytest.raises(TypeError) as raised:
        a.loan_struct("out", kind, {"name": "x"}, "data", 3)
    assert str(raised.value) == (
        "output `out` cannot lend memory for struct<name: string_view, data: binary>, which "
        "is not sent in place: send it"
    )


LOANS = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
IMAGE = pa.struct([("width", pa.uint32()), ("data", pa.large_binary())])
with Node() as node:
    with node.loan("out", 6) as memory:
        memory[:] = b"abcdef"
    with node.loan_binary("out", pa.large_binary(), 3) as memory:
        memory[:] = b"xyz"
    with node.loan_struct("out", IMAGE, {"width": 3}, "data", 3, {"n": 1}) as memory:
        memory[:] = b"123"
    try:
        with node.loan("out", 100_000) as memory:
            raise KeyError
    except KeyError:
        pass
    used = node.loan("out", 1)
    with used as memory:
        memory[:] = b"!"
    try:
        with used:
            pass
    except RuntimeError as error:
        print(error)
    try:
        node.loan_struct("out", IMAGE, {"width": "wide"}, "data", 3)
    except TypeError as error:
        print(str(error).split(":")[0])
"""


def test_loans_are_written_in_place_once_and_given_back_on_an_exception(run: Run) -> None:
    run.pair()
    sender = run.spawn("a", LOANS)
    receiver = run.spawn(
        "b",
        "from doraflow_runtime.node_api.node import Node\n"
        "print([event.value.to_pylist() for event in Node() if event.type == 'INPUT'])",
    )
    assert run.finish(receiver) == ("[[97, 98, 99, 100, 101, 102], [b'xyz'], [{'width': 3, 'data': b'123'}], [33]]\n")
    assert run.finish(sender) == (
        "a loan can be used once; take another one for the next message\n`width` of output `out` is uint32\n"
    )


ERRORS = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
node = Node()
for call in (
    lambda: node.send_output("imgae", b""),
    lambda: node.send_output("out", [1, 2]),
    lambda: node.send_output("out", pa.table({"a": [1]})),
    lambda: node.send_output("out", b"", {"a": object()}),
    lambda: node.log("loud", "x"),
    lambda: Node("other"),
):
    try:
        call()
    except (TypeError, ValueError, RuntimeError) as error:
        print(type(error).__name__, error)
"""


def test_errors_of_use_are_one_sentence_with_the_choices(run: Run) -> None:
    run.node("a", ("out", "other"))
    run.listen(1)
    assert run.finish(run.spawn("a", ERRORS)).splitlines() == [
        "ValueError node `a` has no output `imgae`; its outputs are: `out`, `other`",
        "TypeError a message is a pyarrow.Array or bytes, got list: wrap it with `pyarrow.array`",
        "TypeError a table has several columns and a message is one array: send `table.to_struct_array()`",
        "TypeError metadata `a` is object; allowed are bool, int, float, str, datetime, and lists of int, float or str",
        "ValueError there is no log level `loud`: the levels are error, warn, info, debug, trace",
        "RuntimeError this process runs node `a`, but its code asks for `other`",
    ]


def test_a_node_outside_a_run_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from doraflow_runtime.node_api.node import Node

    monkeypatch.delenv("DORAFLOW_CONFIG", raising=False)
    with pytest.raises(RuntimeError) as raised:
        Node()
    assert str(raised.value) == (
        "this process is not part of a dataflow: start it with `doraflow run` or with a bundle's launcher"
    )


@pytest.mark.parametrize("policy", ["drop_oldest", "backpressure"])
def test_what_waits_for_a_slow_reader_is_sent_while_the_sender_is_busy_elsewhere(run: Run, policy: str) -> None:
    count = 1500  # more than the 4 MiB that a ring may hold
    run.pair(count, policy)
    a, b = run.join("a", "b")
    for number in range(count):
        a.send_output("out", bytes(4000), {"number": number})
    assert a._core.consumers["b"].has_waiting
    numbers = [event.metadata["number"] for _ in range(count) if (event := b.next(20)) is not None]
    assert numbers == list(range(count))


def test_the_thread_that_sends_what_waits_ends_when_nothing_waits(run: Run) -> None:
    count = 1500  # more than the 4 MiB that a ring may hold
    run.pair(count)
    a, b = run.join("a", "b")
    for _ in range(count):
        a.send_output("out", bytes(4000))
    assert any(thread.name == "doraflow-courier" for thread in threading.enumerate())
    for _ in range(count):
        b.next(5)
    deadline = time.monotonic() + 30
    while any(thread.name == "doraflow-courier" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(thread.name == "doraflow-courier" for thread in threading.enumerate())


@pytest.mark.parametrize("step", [2, -1])
def test_a_strided_view_is_copied(run: Run, step: int) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", memoryview(b"abcdef")[::step])
    event = b.next(5)
    assert event is not None
    assert event.value == pa.array(list(b"abcdef"[::step]), pa.uint8())
