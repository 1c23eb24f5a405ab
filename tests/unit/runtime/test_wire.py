"""Frames to the byte, as docs/wire-format.md gives them."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.wire import Frame, FrameReader, Kind, Message, SlotName, WireError
from hypothesis import given
from hypothesis import strategies as st

VECTORS = {path.stem: bytes.fromhex(path.read_text()) for path in (Path(__file__).parent / "vectors").glob("*.hex")}
SLOT = SlotName(1, 2, 3, 16384, 4_000_000)


def message(slot: SlotName | None = None) -> bytes:
    content = b"payload" if slot is None else wire.SLOT.pack(1, 2, 3, 16384, 4_000_000)
    body = wire.MESSAGE.pack(1_000_000_007, 4, 2, len(content)) + b"meta" + b"rc" + content
    return wire.frame(Kind.MESSAGE, len(body), wire.IN_SLOT if slot else 0, link=9, number=5) + body


WRITTEN = {
    "hello": wire.hello("camera", "pools/3"),
    "message_inline": message(),
    "message_in_slot": message(SLOT),
    "release": wire.release((1, 2, 3)),
    "credit": wire.credit(9, 1),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_frame_is_written_to_the_byte(name: str) -> None:
    assert WRITTEN[name].hex() == VECTORS[name].hex()


def test_every_vector_is_read() -> None:
    reader = FrameReader()
    frames = [frame for name in WRITTEN for frame in reader.feed(VECTORS[name])]
    assert wire.read_hello(frames[0].body) == ("camera", "pools/3")
    assert wire.read_message(frames[1]) == Message(1_000_000_007, b"meta", b"rc", b"payload", None)
    assert wire.read_message(frames[2]) == Message(1_000_000_007, b"meta", b"rc", b"", SLOT)
    assert wire.RELEASE.unpack(frames[3].body) == (1, 2, 3)
    assert frames[4] == Frame(Kind.CREDIT, 0, 9, 1, b"")


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
    assert len(frames) == 15


def test_a_frame_out_of_bounds_is_refused() -> None:
    with pytest.raises(WireError, match=r"^a frame of 4194305 bytes; at most 4194304 are allowed$"):
        FrameReader().feed(wire.frame(Kind.MESSAGE, wire.LARGEST_BODY + 1))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "a malformed greeting"),
        (wire.HELLO.pack(b"HTTP", 1, 0), "the peer speaks another protocol"),
        (wire.HELLO.pack(b"DFLW", 2, 0), "the peer speaks version 2 of the wire format, this node speaks 1"),
        (wire.HELLO.pack(b"DFLW", 1, 2) + b"\xff\xff", "a malformed greeting"),
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
        sender.send([data[:100], data[100:]])
    assert sender.has_waiting
    frames: list[Frame] = []
    while len(frames) < 40:
        frames += receiver.receive()
        sender.flush()
    assert [frame.number for frame in frames] == list(range(40))
    assert all(frame.body == bytes([frame.number]) * 50_000 for frame in frames)
    assert not sender.has_waiting
    theirs.close()
    sender.send([b"x"])
    assert not sender.is_open
    sender.close()
