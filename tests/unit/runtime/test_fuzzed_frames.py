"""Valid frames with one thing wrong: their connection ends with one line in the log, and nothing else does."""

from __future__ import annotations

import gc
import json
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.contract import Link, OutgoingLink
from doraflow_runtime.formats.arrow import byte_hole, lay_out
from doraflow_runtime.node_api.outgoing import Consumer, Outgoing
from doraflow_runtime.protocol import InputState
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.memory import SharedMemory
from doraflow_runtime.shm.pool import Pool
from doraflow_runtime.shm.wire import FrameReader, Kind, WireError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import Run
    from pytest import CaptureFixture

VECTORS = {path.stem: bytes.fromhex(path.read_text()) for path in (Path(__file__).parent / "vectors").glob("*.hex")}
FRAMES = [data for name, data in sorted(VECTORS.items()) if not name.startswith(("layout", "metadata"))]
ODD = st.sampled_from([0, 1, 2, 3, 8, 27, 28, 63, 64, 255, 4096, 2**16 - 1, 2**22, 2**22 + 1, 2**31, 2**32 - 1])
FIELDS = ((0, "I"), (4, "B"), (5, "B"), (6, "H"), (8, "I"))  # of a header


def schema(kind: pa.DataType, number: int = 1) -> bytes:
    body = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
    return wire.frame(Kind.TYPE, len(body), number=number) + body


def message(flags: int = 0, content: bytes = b"abc", metadata: bytes = b"") -> bytes:
    record = lay_out(byte_hole(3)).record
    body = wire.MESSAGE.pack(7, len(metadata), len(record), len(content)) + metadata + record + content
    return wire.frame(Kind.MESSAGE, len(body), flags, 1, 1) + body


def nested(depth: int) -> pa.DataType:
    kind: pa.DataType = pa.int8()
    for _ in range(depth):
        kind = pa.list_(kind)
    return kind


STREAM = [
    wire.hello("a"),
    schema(pa.uint8()),
    message(),
    message(wire.IN_SLOT, wire.SLOT.pack(0, 0, 0, 64, 3)),
    message(metadata=VECTORS["metadata"]),
    schema(nested(30), 2),
    schema(pa.struct([(str(at), pa.int8()) for at in range(300)]), 3),
]
ANSWERS = [wire.seen(1), wire.release([(0, 0, 0)]), wire.credit(1, 1), wire.release([(0, 1, 0)]), wire.left()]


@st.composite
def broken(draw: st.DrawFn, stream: list[bytes]) -> bytes:
    """A stream of frames, some of them changed, left out, doubled, cut short or strange."""
    frames = [bytearray(frame) for frame in stream]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(frames) - 1))
        match draw(st.sampled_from(["field", "body", "cut", "grow", "double", "move", "strange"])):
            case "field":
                place, form = draw(st.sampled_from(FIELDS))
                if len(frames[at]) >= 12:
                    struct.pack_into(f"<{form}", frames[at], place, draw(ODD) & (256 ** struct.calcsize(form) - 1))
            case "body" if len(frames[at]) >= 16:
                struct.pack_into("<I", frames[at], draw(st.integers(12, len(frames[at]) - 4)), draw(ODD))
            case "cut":
                del frames[at][draw(st.integers(0, len(frames[at]))) :]
            case "grow":
                frames[at] += draw(st.binary(max_size=40))
            case "double":
                frames.insert(at, frames[at][:])
            case "move":
                frames.append(frames.pop(at))
            case "strange":
                frames.insert(at, bytearray(draw(st.sampled_from(FRAMES))))
    return b"".join(frames)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_broken_producer_harms_nobody_else(run: Run, capfd: CaptureFixture[str], data: st.DataObject) -> None:
    if not run.nodes:
        for name, output in (("a", "out"), ("c", "out")):
            run.node(name, (output,))
        run.node("b")
        run.link("a/out", "b/in", 10, data.draw(st.just("drop_oldest")))
        run.link("c/out", "b/other", 10, "backpressure")
        run.listen(2)
        run.join("b", "c")
    b, c = run.nodes
    capfd.readouterr()
    gc.collect()
    stream = data.draw(broken(STREAM))
    memory = SharedMemory(8192)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(run.directory / "n2.sock"))
        socket.send_fds(stranger, [stream or b"\0"], [memory.for_readers])
        read = []
        for _ in range(3):
            while (event := b.next(0)) is not None:
                assert event.type in ("INPUT", "ERROR", "INPUT_CLOSED")
                read.append(event.type)
                if event.value is not None:
                    event.value.validate(full=True)
        c.send_output("out", stream)
        arrived = b.next(5)
        assert arrived is not None
        assert arrived.id == "other"
        assert arrived.value == pa.array(list(stream), pa.uint8())
    while (event := b.next(0.001)) is not None:
        assert event.type == "INPUT_CLOSED"
    assert len(b._core._reception.producers) == 1
    b._core.queues._queues["in"].state = InputState.OPEN
    lines = [json.loads(line)["message"] for line in capfd.readouterr().out.splitlines()]
    assert len(lines) <= 1
    assert all(line.startswith("closed the connection of `") and len(line) < 500 for line in lines)


class Reader:
    """A producer's view of a consumer that is played by the test; two slots are on their way to it."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.pool = Pool(limit=1024 * 1024)
        link = OutgoingLink(Link(1, "a", "out", "b", "in"), "b.sock", 3, "drop_oldest")
        self.consumer = Consumer([link], Connection(ours), self.pool, 2**20)
        for _ in range(2):
            slot = self.pool.take(10_000)
            assert slot is not None
            name = wire.SLOT.pack(*slot.name)
            body = wire.MESSAGE.pack(0, 0, 0, len(name)) + name
            self.consumer.send(1, Outgoing(0, wire.IN_SLOT | wire.AS_STREAM, body, slot), lambda _: b"")


@settings(max_examples=200, deadline=None)
@given(broken(ANSWERS))
def test_a_broken_consumer_gets_no_slot_freed_that_it_does_not_hold(stream: bytes) -> None:
    reader = Reader()
    other = reader.pool.take(5000)
    assert other is not None
    reader.theirs.sendall(stream)
    try:
        reader.consumer.receive()
    except WireError as error:
        assert len(str(error)) < 500
    assert other in reader.pool.slots
    reader.consumer.lose()
    reader.theirs.close()
    assert reader.pool.slots_in_use == 1
    reader.pool.close()


@settings(max_examples=200, deadline=None)
@given(broken(STREAM + ANSWERS), st.integers(1, 50))
def test_no_stream_of_bytes_makes_a_reader_keep_more_than_a_frame(stream: bytes, size: int) -> None:
    reader = FrameReader()
    try:
        for at in range(0, len(stream), size):
            for frame in reader.feed(stream[at : at + size]):
                assert len(frame.body) <= wire.LARGEST_BODY
    except WireError as error:
        assert str(error).startswith("a frame of ")
