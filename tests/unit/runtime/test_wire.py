"""Frames to the byte, as docs/wire-format.md gives them."""

from __future__ import annotations

import contextlib
import functools
import re
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from doraflow_runtime.formats.arrow import from_stream, lay_out, rebuild, take_apart, to_stream
from doraflow_runtime.launcher.control import Alive, Hello, InputsClosed, StopAll, parse
from doraflow_runtime.launcher.measuring import Counted
from doraflow_runtime.node_api.launcher_link import LauncherLink, News
from doraflow_runtime.node_api.metadata import Parameters, decode, encode
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.wire import Frame, FrameReader, Kind, Message, SlotName, WireError
from hypothesis import given
from hypothesis import strategies as st

VECTORS = {path.stem: bytes.fromhex(path.read_text()) for path in (Path(__file__).parent / "vectors").glob("*.hex")}
PAGE = Path(__file__).parents[3] / "docs" / "wire-format.md"
SLOT = SlotName(1, 2, 3, 16384, 4_000_000)


def message(slot: SlotName | None = None) -> bytes:
    content = b"payload" if slot is None else wire.SLOT.pack(1, 2, 3, 16384, 4_000_000)
    body = wire.MESSAGE.pack(1_000_000_007, 4, 2, len(content)) + b"meta" + b"rc" + content
    return wire.frame(Kind.MESSAGE, len(body), wire.IN_SLOT if slot else 0, link=9, number=5) + body


def schema(number: int, kind: pa.DataType) -> bytes:
    body = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
    return wire.frame(Kind.TYPE, len(body), number=number) + body


def bare(flags: int, link: int, number: int, sent: int, content: bytes) -> bytes:
    body = wire.MESSAGE.pack(sent, 0, 0, len(content)) + content
    return wire.frame(Kind.MESSAGE, len(body), flags, link, number) + body


U16, U32, U64 = 2**16 - 1, 2**32 - 1, 2**64 - 1
NESTED = pa.struct([("a", pa.list_(pa.float64())), ("b", pa.string())])
STREAM = to_stream(pa.array(["a", "b", "a"]).dictionary_encode()).to_pybytes()

WRITTEN = {
    "hello": wire.hello("camera"),
    "message_inline": message(),
    "message_in_slot": message(SLOT),
    "release": wire.release([(1, 2, 3), (4, 5, 6)]),
    "credit": wire.credit(9, 1),
    "closed": wire.closed(9),
    "seen": wire.seen(3),
    "left": wire.left(),
    "ring": wire.frame(Kind.RING, 0),
    "ring_returns": wire.frame(Kind.RING, 4, number=2) + struct.pack("<2H", 9, U16),
    "knock": wire.frame(Kind.KNOCK, 0),
    "knock_returns": wire.frame(Kind.KNOCK, 0, number=2),
    "seen_nothing": wire.seen(0),
}
BOUNDARIES = {
    "hello_utf8": wire.hello("kamera-é"),
    "type_nested": schema(4096, NESTED),
    "message_empty": bare(0, 1, 1, 0, b""),
    "message_as_stream": bare(wire.AS_STREAM, 1, 0, 7, STREAM),
    "message_largest": bare(wire.IN_SLOT, U16, 4096, 2**63 - 1, wire.SLOT.pack(U32, U32, U32, U64, U64)),
    "release_largest": wire.release([(U32, U32, U32)]),
    "credit_largest": wire.credit(U16, U32),
    "closed_largest": wire.closed(U16),
    "seen_largest": wire.seen(U32),
}
ARROWS = {"type_nested", "message_as_stream"}  # their bytes are the library's affair, and change with its version


@pytest.mark.parametrize("name", [*WRITTEN, *(name for name in BOUNDARIES if name not in ARROWS)])
def test_a_frame_is_written_to_the_byte(name: str) -> None:
    assert (WRITTEN | BOUNDARIES)[name].hex() == VECTORS[name].hex()


@pytest.mark.parametrize("name", BOUNDARIES)
def test_a_frame_at_a_boundary_is_read_as_it_was_written(name: str) -> None:
    (frame,), (ours,) = FrameReader().feed(VECTORS[name]), FrameReader().feed(BOUNDARIES[name])
    assert frame[1:4] == ours[1:4]
    if frame.kind == Kind.HELLO:
        assert wire.read_hello(frame.body) == "kamera-é"
    if frame.kind == Kind.TYPE:
        assert pa.ipc.read_schema(pa.py_buffer(frame.body)).field(0).type == NESTED
    if frame.kind == Kind.MESSAGE:
        read, own = wire.read_message(frame), wire.read_message(ours)
        assert (read.sent_ns, read.metadata, read.record, read.slot) == (*own[:3], own.slot)
        if frame.flags & wire.AS_STREAM:
            assert from_stream(pa.py_buffer(read.payload)).to_pylist() == ["a", "b", "a"]


def test_every_vector_is_read() -> None:
    reader = FrameReader()
    frames = [frame for name in WRITTEN for frame in reader.feed(VECTORS[name])]
    assert wire.read_hello(frames[0].body) == "camera"
    assert wire.read_message(frames[1]) == Message(1_000_000_007, b"meta", b"rc", b"payload", None)
    assert wire.read_message(frames[2]) == Message(1_000_000_007, b"meta", b"rc", b"", SLOT)
    assert list(wire.read_release(frames[3].body)) == [(1, 2, 3), (4, 5, 6)]
    assert frames[4] == Frame(Kind.CREDIT, 0, 9, 1, b"")
    assert frames[5] == Frame(Kind.CLOSED, 0, 9, 0, b"")
    assert frames[6] == Frame(Kind.SEEN, 0, 0, 3, b"")
    assert frames[7] == Frame(Kind.LEFT, 0, 0, 0, b"")


ARRAY = pa.array([1, None, 3], pa.int16())


def test_a_layout_is_written_and_read_to_the_byte() -> None:
    layout = lay_out(take_apart(ARRAY))
    payload = bytearray(layout.size)
    layout.write(memoryview(payload))
    assert layout.record == VECTORS["layout_record"]
    assert bytes(payload[64:70]) == VECTORS["layout_payload"][64:70]
    assert payload[0] & 0b111 == VECTORS["layout_payload"][0] & 0b111
    assert len(payload) == len(VECTORS["layout_payload"])
    assert rebuild(pa.int16(), VECTORS["layout_record"], pa.py_buffer(VECTORS["layout_payload"])) == ARRAY


PARAMETERS: Parameters = {
    "b": True,
    "i": -1,
    "f": 0.5,
    "s": "é",
    "t": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    "I": [1, 2],
    "F": [0.5],
    "S": ["a", ""],
}


def test_metadata_is_written_and_read_to_the_byte() -> None:
    assert encode(PARAMETERS).hex() == VECTORS["metadata"].hex()
    assert decode(VECTORS["metadata"]) == PARAMETERS


def test_slots_are_given_back_in_frames_of_a_bounded_size() -> None:
    keys = [(1, at, 3) for at in range(wire.MOST_RELEASED + 1)]
    frames = FrameReader().feed(wire.release(keys))
    assert [len(frame.body) for frame in frames] == [wire.MOST_RELEASED * 12, 12]
    assert [key for frame in frames for key in wire.read_release(frame.body)] == keys


LARGEST: Parameters = {
    "": False,
    "least": -(2**63),
    "most": 2**63 - 1,
    "infinite": float("-inf"),
    "nothing": "",
    "before": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    "none": [],
    "edges": [-(2**63), 2**63 - 1],
}


def test_the_largest_metadata_values_are_written_and_read_to_the_byte() -> None:
    assert encode(LARGEST).hex() == VECTORS["metadata_largest"].hex()
    assert decode(VECTORS["metadata_largest"]) == LARGEST


def test_a_type_is_read() -> None:
    (frame,) = FrameReader().feed(VECTORS["type"])
    assert frame[:4] == (Kind.TYPE, 0, 0, 5)
    assert pa.ipc.read_schema(pa.py_buffer(frame.body)).field(0).type == pa.int16()


def test_both_sides_read_the_lines_that_the_page_shows() -> None:
    rows = re.findall(r"^\| (node|launcher) \| `(\{.*\})` \|", PAGE.read_text(), re.MULTILINE)
    filled = {
        "ID": '"camera"',
        "N,": "7,",
        '"N"': '"7"',
        "ROWS": "[]",
        "BOOL": "true",
        "TEXT": '"killed by SIGKILL"',
        "NAME": '"tap.sock"',
    }
    said, told = (
        [
            functools.reduce(lambda text, word: text.replace(word, filled[word]), filled, line)
            for who, line in rows
            if who == side
        ]
        for side in ("node", "launcher")
    )
    assert [parse(line.encode()) for line in said] == [
        *(Hello("camera", 1, 7), Counted((), is_last=True), StopAll(), Alive(), InputsClosed())
    ]
    ours, theirs = socket.socketpair()
    link = LauncherLink(ours)
    theirs.sendall("".join(f"{line}\n" for line in told).encode())
    assert link.receive() == [
        News("start"),
        News("ended", "camera", error="killed by SIGKILL"),
        *(News(kind, "camera") for kind in ("will_return", "restarting")),
        News("returned", "camera", 7),
        News("gone", "camera"),
        News("away", "camera"),
        News("life", "camera", life="killed by SIGKILL"),
        News("clock", "camera", offset=7),
        News("stop"),
        News("measure"),
        News("tap", output="camera", address="tap.sock"),
    ]
    theirs.close()
    assert link.receive() == []
    assert not link.is_open
    link.close()


def test_the_page_shows_every_vector() -> None:
    page = PAGE.read_text()
    missing = [name for name in VECTORS if f"`{name}.hex`" not in page]
    assert not missing
    names = "".join(f"| {kind.value} | {kind.name} |" in page and "." for kind in Kind)
    assert names == "." * len(Kind)
    for layout in (wire.HEADER, wire.HELLO, wire.MESSAGE, wire.SLOT, wire.RELEASE):
        assert f"{layout.size} bytes" in page


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_out_whole_however_the_bytes_come_in(cuts: list[int]) -> None:
    data = b"".join(WRITTEN.values()) * 3
    reader = FrameReader()
    frames: list[Frame] = []
    at = turn = 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        frames += reader.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert frames == FrameReader().feed(data)
    assert len(frames) == 3 * len(WRITTEN)


def test_a_frame_out_of_bounds_is_refused() -> None:
    with pytest.raises(WireError, match=r"^a frame of 4194305 bytes; at most 4194304 are allowed$"):
        FrameReader().feed(wire.frame(Kind.MESSAGE, wire.LARGEST_BODY + 1))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "a malformed greeting"),
        (wire.HELLO.pack(b"HTTP", 1, 0), "the peer speaks another protocol"),
        (wire.HELLO.pack(b"DFLW", 1, 0), "the peer speaks version 1 of the wire format, this node speaks 3"),
        (wire.HELLO.pack(b"DFLW", 3, 2) + b"\xff\xff", "a malformed greeting"),
        (wire.HELLO.pack(b"DFLW", 3, 2) + b"abc", "a malformed greeting"),
        (wire.HELLO.pack(b"DFLW", 3, 2) + b"a", "a malformed greeting"),
    ],
)
def test_another_greeting_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(WireError) as raised:
        wire.read_hello(body)
    assert str(raised.value) == reason


@given(st.binary(max_size=100), st.integers(0, 3))
def test_a_hostile_message_raises_nothing_but_wire_error(body: bytes, flags: int) -> None:
    with contextlib.suppress(WireError):
        wire.read_message(Frame(Kind.MESSAGE, flags, 1, 1, body))


def test_a_connection_keeps_what_the_peer_cannot_take_yet() -> None:
    ours, theirs = socket.socketpair()
    sender, receiver = Connection(ours), Connection(theirs)
    sent = [wire.frame(Kind.MESSAGE, 50_000, number=at) + bytes([at]) * 50_000 for at in range(40)]
    for data in sent:
        sender.send(data)
    assert sender.has_waiting
    frames: list[Frame] = []
    while len(frames) < 40:
        frames += receiver.receive()
        sender.flush()
    assert [frame.number for frame in frames] == list(range(40))
    assert all(frame.body == bytes([frame.number]) * 50_000 for frame in frames)
    assert not sender.has_waiting
    theirs.close()
    sender.send(b"x")
    assert not sender.is_open
    sender.close()
