"""Peers that send nonsense lose their connection, the log says why, and nothing else happens."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from doraflow_runtime.formats.arrow import byte_hole, lay_out
from doraflow_runtime.node_api.incoming import Producer
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.protocol import InputState
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.memory import SharedMemory
from doraflow_runtime.shm.wire import AS_STREAM, IN_SLOT, Frame, Kind, WireError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.node import Node

HELLO = wire.hello("a")
RECORD = lay_out(byte_hole(3)).record


def schema(kind: pa.DataType) -> bytes:
    body = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
    return wire.frame(Kind.TYPE, len(body), number=1) + body


def nested(depth: int) -> pa.DataType:
    kind: pa.DataType = pa.int8()
    for _ in range(depth):
        kind = pa.list_(kind)
    return kind


def message(*, flags: int = 0, link: int = 1, number: int = 1, metadata: bytes = b"", content: bytes = b"abc") -> bytes:
    record = b"" if flags & AS_STREAM else RECORD
    body = wire.MESSAGE.pack(7, len(metadata), len(record), len(content)) + metadata + record + content
    return wire.frame(Kind.MESSAGE, len(body), flags, link, number) + body


def slot(*numbers: int) -> bytes:
    return message(flags=IN_SLOT, content=wire.SLOT.pack(*numbers))


GOOD = HELLO + schema(pa.uint8()) + message()

NONSENSE = {
    "another protocol": (
        b"GET / HTTP/1.1\r\n\r\n" * 10,
        "a stranger",
        "a frame of 542393671 bytes; at most ",
    ),
    "another version": (
        HELLO[:16] + b"\x09" + HELLO[17:],
        "a stranger",
        "the peer speaks version 9 of the wire format",
    ),
    "no greeting": (message(), "a stranger", "the first frame is no greeting"),
    "a node that feeds another": (wire.hello("nobody"), "a stranger", "`nobody` does not feed this node"),
    "a greeting cut short": (wire.frame(Kind.HELLO, 4) + b"DFLW", "a stranger", "a malformed greeting"),
    "a greeting with more behind": (
        wire.frame(Kind.HELLO, 10) + wire.HELLO.pack(b"DFLW", wire.WIRE_VERSION, 1) + b"ab",
        "a stranger",
        "a malformed greeting",
    ),
    "a second greeting": (GOOD + HELLO, "a", "a frame of kind 1, which a producer does not send"),
    "a frame for producers": (GOOD + wire.credit(1, 9), "a", "a frame of kind 5, which a producer does not send"),
    "an unknown frame": (GOOD + wire.frame(99, 0), "a", "a frame of kind 99, which a producer does not send"),  # type: ignore[arg-type]
    "a frame too large": (
        HELLO + wire.frame(Kind.MESSAGE, 2**22 + 1),
        "a stranger",
        "a frame of 4194305 bytes; at most 4194304",
    ),
    "a link of another": (GOOD + message(link=2), "a", "link 2 is closed, or does not come from `a`"),
    "a link that was closed": (GOOD + wire.closed(1) + message(), "a", "link 1 is closed, or does not come from `a`"),
    "an unknown type": (GOOD + message(number=2), "a", "type 2 was never announced"),
    "a malformed type": (HELLO + wire.frame(Kind.TYPE, 4, number=1) + b"junk", "a", "a malformed type: "),
    "an id without end": (wire.hello("x" * 60_000), "a stranger", f"`{'x' * 200}…` does not feed this node"),
    "a type with a text without end": (
        HELLO + schema(pa.dictionary(pa.int8(), pa.struct([("y" * 9000, pa.int8())]))),
        "a",
        "the type dictionary<values=struct<yyy",
    ),
    "a type too deep": (HELLO + schema(nested(300)), "a", "a malformed type: "),
    "a type that streams": (HELLO + schema(pa.string_view()), "a", "the type string_view, which has to travel as a st"),
    "parts that do not add up": (
        GOOD + wire.frame(Kind.MESSAGE, 20, 0, 1, 1) + bytes(8) + b"\xff" * 12,
        "a",
        "a message whose parts do not add up to its length",
    ),
    "more than it may send": (GOOD + message() * 10, "a", "more messages on link 1 than it has credits for"),
}


def greet(run: Run, data: bytes, descriptors: list[int]) -> socket.socket:
    """Send bytes to b's socket as a stranger, and descriptors with the first of them."""
    stranger = socket.socket(socket.AF_UNIX)
    stranger.connect(str(run.directory / "n1.sock"))
    sent = socket.send_fds(stranger, [data], descriptors) if descriptors else 0
    stranger.sendall(data[sent:])
    return stranger


def say(run: Run, node: Node, data: bytes, descriptors: list[int] | None = None) -> None:
    """Send bytes to b's socket as a stranger with memory of its own, and let b deal with them."""
    memory = SharedMemory(8192)
    own = [memory.for_readers] if descriptors is None else descriptors
    with greet(run, data, own) as stranger:
        memory.close()
        for _ in range(3):
            node.is_empty()
        stranger.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            while stranger.recv(100):  # the offer of a ring, perhaps
                pass


@pytest.fixture
def reader(run: Run) -> Node:
    run.pair(size=10)
    return run.join("b", "a")[0]


def reader_without_producer(run: Run) -> Node:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.listen(1)
    return run.join("b")[0]


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_ends_its_connection_and_the_log_says_why(
    run: Run, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    data, who, why = NONSENSE[name]
    node = reader_without_producer(run)
    say(run, node, data)
    (line,) = capfd.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["level"] == "warn"
    assert told["message"].startswith(f"closed the connection of `{who}`: {why}")
    assert len(told["message"]) < 400


def open_descriptors() -> list[str]:
    gc.collect()
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def unsealed() -> int:
    descriptor = os.memfd_create("unsealed", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, 8192)
    return descriptor


def empty() -> int:
    descriptor = os.memfd_create("empty", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return descriptor


UNFIT = {
    "none": ([], "a greeting without the one descriptor of the sender's memory"),
    "two": ([unsealed] * 2, "a greeting without the one descriptor of the sender's memory"),
    "two hundred": ([unsealed] * 200, "a greeting without the one descriptor of the sender's memory"),
    "memory that may shrink": ([unsealed], "shared memory that could shrink while it is read"),
    "a file": ([lambda: os.open(__file__, os.O_RDONLY)], "shared memory that could shrink while it is read"),
    "an eventfd": ([lambda: os.eventfd(0)], "shared memory that could shrink while it is read"),
    "memory without bytes": ([empty], "shared memory that cannot be mapped: cannot mmap an empty file"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_unfit_memory_ends_its_connection_and_leaves_no_descriptor(
    run: Run, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    makers, why = UNFIT[name]
    node = reader_without_producer(run)
    before = open_descriptors()
    descriptors = [make() for make in makers]
    say(run, node, GOOD, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    assert json.loads(capfd.readouterr().out)["message"] == f"closed the connection of `a stranger`: {why}"
    assert open_descriptors() == before


def test_what_a_reader_remembers_of_types_has_a_bound() -> None:
    ours, theirs = socket.socketpair()
    producer = Producer(Connection(ours), lambda: None)
    body = schema(pa.struct([(f"{at:01000}", pa.int8()) for at in range(3000)]))[12:]
    frames = [Frame(Kind.TYPE, 0, 0, number, body) for number in range(1, 9)]
    with pytest.raises(WireError, match=r"^too many types$"):
        for frame in frames:
            producer.take(frame)
    assert 0 < len(producer._types) * len(body) <= wire.MOST_TYPE_BYTES
    producer.connection.close()
    theirs.close()


def test_descriptors_after_the_greeting_go_nowhere(run: Run) -> None:
    node = reader_without_producer(run)
    memory = SharedMemory(8192)
    with greet(run, GOOD, [memory.for_readers]) as producer:
        assert node.next(5) is not None
        before = open_descriptors()
        socket.send_fds(producer, [message()], [memory.for_readers] * 100)
        assert node.next(5) is not None
        assert open_descriptors() == before


def test_nobody_speaks_in_the_name_of_a_producer_that_is_there(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", b"one")
    first = b.next(5)
    assert first is not None
    say(run, b, GOOD)
    assert "`a` is connected already" in capfd.readouterr().out
    a.send_output("out", b"two")
    second = b.next(5)
    assert second is not None
    assert (second.type, second.value) == ("INPUT", pa.array(list(b"two"), pa.uint8()))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (slot(0, 0, 0, 2**60, 3), "a payload outside the producer's memory"),
        (slot(0, 0, 0, 0, 8193), "a payload outside the producer's memory"),
        (slot(0, 0, 0, 1, 3), "a payload that does not lie at a multiple of 64 bytes"),
        (message(content=b"ab"), "not a valid array of uint8: a buffer outside the payload"),
        (message(metadata=b"junk"), "malformed metadata: it ends in the middle of a value"),
        (message(flags=AS_STREAM), "not an Arrow stream: "),
    ],
)
def test_a_message_that_cannot_be_read_is_an_error_event_and_the_next_one_arrives(
    run: Run, data: bytes, why: str
) -> None:
    node = reader_without_producer(run)
    memory = SharedMemory(8192)
    with greet(run, HELLO + schema(pa.uint8()) + data + message(), [memory.for_readers]):
        error, good = node.next(5), node.next(5)
        assert error is not None
        assert good is not None
        assert error.type == "ERROR"
        assert str(error.id).startswith(f"a message on `in` cannot be read: {why}")
        assert good.value == pa.array(list(b"abc"), pa.uint8())


def test_the_slot_of_a_message_that_cannot_be_read_goes_back_once(run: Run) -> None:
    run.pair(policy="drop_oldest")
    a, b = run.join("a", "b")
    a.send_output("out", bytes(10_000))
    consumer = a._core.consumers["b"]
    taken = a._core.pool.take(10_000)
    assert taken is not None
    lie = lay_out(byte_hole(20_000)).record
    place = wire.SLOT.pack(taken.name.segment, taken.name.slot, taken.name.generation, taken.name.offset, 10_000)
    body = wire.MESSAGE.pack(7, 0, len(lie), len(place)) + lie + place
    consumer.send(1, Outgoing(1, IN_SLOT, body, taken), lambda _: b"")
    a.send_output("out", bytes(10_000))
    assert [event.type for event in (b.next(5), b.next(5), b.next(5)) if event] == ["INPUT", "ERROR", "INPUT"]
    b.is_empty()
    a.is_empty()
    assert consumer.is_open
    assert a._core.pool.slots_in_use == 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (wire.frame(Kind.MESSAGE, 0), "a frame of kind 3, which a consumer does not send"),
        (wire.credit(9, 1), "a frame of kind 5, which a consumer does not send"),
        (wire.release([(0, 0, 0)]), "a slot given back that was not held"),
        (wire.frame(Kind.RELEASE, 13) + bytes(13), "a malformed release"),
        (wire.frame(Kind.RELEASE, 0), "a malformed release"),
    ],
)
def test_a_consumer_that_talks_nonsense_is_dropped(
    run: Run, capfd: pytest.CaptureFixture[str], data: bytes, why: str
) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", b"")
    b.next(5)
    next(iter(b._core._reception.producers.values())).connection.send(data)
    a.is_empty()
    assert f"closed the connection of `b`: {why}" in capfd.readouterr().out
    for _ in range(20):
        a.send_output("out", bytes(10_000))
    assert a._core.pool.slots_in_use == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_frames_never_stop_the_reader(reader: Node, run: Run, data: st.DataObject) -> None:
    stream = bytearray(GOOD + slot(0, 0, 0, 0, 3) + message(flags=AS_STREAM) + message(metadata=b"\x01\0\0\0ab\x01"))
    for _ in range(data.draw(st.integers(0, 5))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    for descriptor in tuple(reader._core._reception.producers):
        reader._core._reception.lose(descriptor)
    reader._core.queues._queues["in"].state = InputState.OPEN
    memory = SharedMemory(8192)
    with greet(run, bytes(stream), [memory.for_readers]):
        while (event := reader.next(0)) is not None:
            assert event.type in ("INPUT", "ERROR")
            if event.value is not None:
                event.value.validate(full=True)
