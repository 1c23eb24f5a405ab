"""Events with bytes as value: the same messages as arrays, and the same of all else."""

from __future__ import annotations

import itertools
import struct
import threading
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from doraflow_runtime.node_api.node import BytesEvent, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

LARGE = 9_000  # int64 that lie in a slot


def bytes_of(node: Node) -> bytes | memoryview:
    event = node.next_bytes(20)
    assert event is not None
    assert event.value is not None
    return event.value


PLAIN: dict[str, tuple[Callable[[], object], bytes]] = {
    "bytes": (lambda: b"abc", b"abc"),
    "a single byte": (lambda: b"\x01", b"\x01"),
    "nothing": (lambda: b"", b""),
    "int64": (lambda: pa.array([1, -1]), struct.pack("<qq", 1, -1)),
    "float": (lambda: pa.array([0.5], pa.float32()), struct.pack("<f", 0.5)),
    "date": (lambda: pa.array([date(1970, 1, 3)]), struct.pack("<i", 2)),
    "a slice": (lambda: pa.array([1, 2, 3, 4])[1:3], struct.pack("<qq", 2, 3)),
    "an empty slice": (lambda: pa.array([1, 2])[1:1], b""),
    "nulls that were cut away": (lambda: pa.array([None, 2, None])[1:2], struct.pack("<q", 2)),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("parameters", [{}, {"word": "Größe"}], ids=["", "with a word that the core leaves alone"])
def test_the_value_is_the_bytes_of_the_values(run: Run, name: str, parameters: dict[str, str]) -> None:
    made, expected = PLAIN[name]
    run.pair()
    a, b = run.join("a", "b")
    for _ in range(2):
        a.send_output("out", made(), parameters)  # type: ignore[arg-type]
        event = b.next_bytes(20)
        assert isinstance(event, BytesEvent)
        assert event[:3] == ("INPUT", "in", expected)
        assert isinstance(event.value, bytes)
        assert event.metadata.parameters == parameters
        assert event.metadata.sent_ns > 0
        assert event.failure is None


@pytest.mark.parametrize("parameters", [{}, {"word": "Größe"}], ids=["", "with a word that the core leaves alone"])
def test_a_payload_in_shared_memory_is_viewed(run: Run, parameters: dict[str, str]) -> None:
    run.pair()
    a, b = run.join("a", "b")
    for first in range(3):
        a.send_output("out", pa.array(range(first, first + LARGE)), parameters)
        value = bytes_of(b)
        assert isinstance(value, memoryview)
        assert (value.readonly, value.format, value.nbytes) == (True, "B", 8 * LARGE)
        assert value.cast("q").tolist() == list(range(first, first + LARGE))


NOT_PLAIN = {
    "string": pa.array(["a"]),
    "bool": pa.array([True]),
    "int64 with nulls": pa.array([1, None]),
    "list<item: int64>": pa.array([[1]]),
    "dictionary<values=string, indices=int32, ordered=0>": pa.array(["a"]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", NOT_PLAIN)
def test_anything_else_is_a_type_error_and_the_next_event_follows(run: Run, kind: str) -> None:
    run.pair(2)
    a, b = run.join("a", "b")
    events = b.iter_bytes()
    for _ in range(3):
        a.send_output("out", NOT_PLAIN[kind])
        with pytest.raises(TypeError) as raised:
            next(events)
        assert str(raised.value) == (
            f"input `in` carries {kind}, and only plain numbers without nulls can be read as bytes: read the events of "
            "this node with `for event in node` or `next`"
        )
        a.send_output("out", b"behind it")
        assert next(events).value == b"behind it"


@pytest.mark.parametrize("first", ["next", "next_bytes"])
@pytest.mark.parametrize("length", [3, LARGE], ids=["in frames", "in slots"])
def test_a_wait_in_one_form_does_not_bind_the_next_one(run: Run, length: int, first: str) -> None:
    run.pair()
    a, b = run.join("a", "b")
    for number in range(40):
        assert getattr(b, first)(0.001) is None  # makes an event of this form in advance
        a.send_output("out", pa.array([number] * length), {"number": number})
        if number % 4:
            b._core.poll()  # takes the message in, before it is asked for in the other form
        event = b.next_bytes(20) if first == "next" else b.next(20)
        assert event is not None
        assert event.metadata.parameters == {"number": number}
        values = memoryview(event.value).cast("q").tolist() if first == "next" else event.value.to_pylist()  # type: ignore[arg-type,union-attr]
        assert values == [number] * length


@pytest.mark.parametrize("length", [3, LARGE], ids=["in frames", "in slots"])
@pytest.mark.parametrize("ahead", [1, 25], ids=["one by one", "many that wait"])
def test_both_forms_are_given_in_turns(run: Run, length: int, ahead: int) -> None:
    run.pair(50)
    a, b = run.join("a", "b")
    numbers = itertools.count()
    for _ in range(100 // ahead):
        for number in itertools.islice(numbers, ahead):
            a.send_output("out", pa.array([number] * length), {"number": number})
        for _ in range(ahead):
            wants_bytes = number % 5 < 2
            event = b.next_bytes(20) if wants_bytes else b.next(20)
            assert event is not None
            number = int(str(event.metadata["number"]))
            values = memoryview(event.value).cast("q").tolist() if wants_bytes else event.value.to_pylist()  # type: ignore[arg-type,union-attr]
            assert values == [number] * length


def test_an_iterator_of_each_form_may_be_taken_from_in_turns(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    arrays, strings = iter(b), b.iter_bytes()
    for number in range(20):
        a.send_output("out", bytes([number]))
        a.send_output("out", bytes([number, number]))
        assert next(strings).value == bytes([number])
        value = next(arrays).value
        assert value is not None
        assert value.to_pylist() == [number, number]


def test_other_events_come_alike_and_the_end_is_the_end(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    run.tell("b", type="restarting", node="a")
    a.send_output("out", b"x")
    first = [b.next_bytes(20), b.next_bytes(20)]
    run.tell("b", type="ended", node="a", error="it fell over")
    failed = b.next_bytes(20)
    assert isinstance(failed, BytesEvent)
    assert (failed.type, failed.id, failed.value) == ("NODE_FAILED", "a", None)
    assert failed.failure is not None
    assert failed.failure.error == "it fell over"
    a.close()
    events = b.iter_bytes()
    rest = list(events)
    assert {(event.type, event.id) for event in first if event is not None} == {
        ("INPUT", "in"),
        ("NODE_RESTARTED", "a"),
    }
    assert rest == [BytesEvent("INPUT_CLOSED", "in"), BytesEvent("STOP", "ALL_INPUTS_CLOSED")]
    assert list(events) == []
    assert b.next_bytes() is None


def test_the_wait_for_bytes_ends_with_its_time(run: Run) -> None:
    run.pair()
    _, b = run.join("a", "b")
    assert b.next_bytes(0) is None
    assert b.next_bytes(0.01) is None


def test_the_tick_of_a_timer_is_empty(run: Run) -> None:
    run.node("b")
    run.timer("b/tick", 1_000_000)
    run.listen(1)
    (b,) = run.join("b")
    event = b.next_bytes(20)
    assert event is not None
    assert event[:3] == ("INPUT", "tick", b"")
    assert event.metadata.sent_ns > 0


@pytest.mark.parametrize("size", [8, 5_000], ids=["in frames", "in slots"])
def test_what_was_dropped_and_taken_is_counted_alike(run: Run, size: int) -> None:
    run.pair(2, "drop_oldest")
    a, b = run.join("a", "b")
    for number in range(5):
        a.send_output("out", bytes([number]) * size)
    assert [bytes(bytes_of(b)) for _ in range(2)] == [bytes([number]) * size for number in (3, 4)]
    assert b.dropped == {"in": 3}
    (row,) = b._core.meter._input_rows(_counts(b))
    assert row[:5] == ["in", "in", 2, 2 * size, 3]
    assert sum(count for _, count in row[-1]) >= 1  # type: ignore[attr-defined]


def _counts(node: Node) -> object:
    from doraflow_runtime.node_api.measuring import Counts

    queues = node._core.queues
    return Counts(queues.dropped(), queues.waiting(), queues.taken(), {})


@pytest.mark.parametrize("size", [8, 20_000], ids=["in frames", "in slots"])
def test_a_reader_of_bytes_gives_credits_and_slots_back(run: Run, size: int) -> None:
    run.pair(1)
    a, b = run.join("a", "b")
    sent = 200

    def send() -> None:
        for number in range(sent):
            a.send_output("out", number.to_bytes(2, "little") * (size // 2))
        a.close()

    thread = threading.Thread(target=send)
    thread.start()
    seen = [int.from_bytes(event.value[:2], "little") for event in b.iter_bytes() if event.value is not None]
    thread.join()
    assert seen == list(range(sent))


@pytest.mark.parametrize("size", [8, 50_000])
def test_bytes_are_sent_on_as_they_were_received(run: Run, size: int) -> None:
    run.node("a", ("out",))
    run.node("r", ("out",))
    run.node("c")
    run.link("a/out", "r/in", 10, "backpressure")
    run.link("r/out", "c/in", 10, "backpressure")
    run.listen(3)
    a, r, c = run.join("a", "r", "c")
    for number in range(20):
        a.send_output("out", bytes([number]) * size)
        r.send_output("out", bytes_of(r))
        assert bytes_of(c) == bytes([number]) * size


SEND_FAR = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for size in (8, 5_000, 500_000):
        for number in range(3):
            node.send_output("out", bytes([number]) * size)
"""


def test_a_message_from_another_host_is_bytes_of_its_own_and_a_large_one_is_not_copied(run: Run) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.apart("b")
    run.listen(2)
    run.spawn("a", SEND_FAR)
    (b,) = run.join("b")
    values = [bytes_of(b) for _ in range(9)]
    for value, (size, number) in zip(values, itertools.product((8, 5_000, 500_000), range(3)), strict=True):
        assert isinstance(value, bytes if size < 65_536 else memoryview)
        assert value == bytes([number]) * size
        assert memoryview(value).readonly
