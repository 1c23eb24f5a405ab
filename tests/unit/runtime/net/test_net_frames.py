"""Frames on links between hosts: what is written is read, and what cannot be is refused."""

from __future__ import annotations

import contextlib

import pytest
from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import Hello, Stand
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import IN_SLOT, Kind, WireError
from hypothesis import given
from hypothesis import strategies as st

STANDS = st.lists(
    st.builds(Stand, st.integers(0, 65535), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=5
)
GREETING = Hello("vision", "camera", bytes(range(16)), (Stand(1, 1, 0), Stand(65535, 2**40, 0)))


@given(dataflow=st.text(max_size=40), producer=st.text(max_size=40), stands=STANDS)
def test_a_greeting_comes_back_as_it_was(dataflow: str, producer: str, stands: list[Stand]) -> None:
    greeting = Hello(dataflow, producer, b"s" * 16, tuple(stands))
    frame = frames.read_frame(frames.hello(greeting))
    assert frame.kind == Kind.HELLO
    assert frames.read_hello(frame.body) == greeting


def test_the_bytes_of_a_greeting_are_those_of_the_page() -> None:
    assert frames.hello(Hello("v", "c", bytes(16), (Stand(7, 1, 0),))).hex() == (
        "2e00000001000000000000004446 4c4e030001000100".replace(" ", "") + "00" * 16 + "7663" + "0700"
        "0100000000000000" + "00" * 8
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "a malformed greeting"),
        (b"DFLW" + bytes(22), "the peer speaks another protocol"),
        (b"DFLN\x09\x00" + bytes(20), "the peer speaks version 9 of links between hosts, this node speaks 3"),
        (b"DFLN\x03\x00\xff\x00" + bytes(18), "a malformed greeting"),
        (b"DFLN\x03\x00\x01\x00\x00\x00" + bytes(16) + b"\xff", "a malformed greeting"),
        (b"DFLN\x03\x00\x00\x00\x00\x00" + bytes(16) + b"abc", "a malformed list of links"),
    ],
)
def test_another_greeting_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        frames.read_hello(body)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("no", "no"),
        ("a" * 301, "a" * 300),
        ("é" * 200, "é" * 150),
        ("aé" * 200, "aé" * 100),
        ("€" + "𝄞" * 90, "€" + "𝄞" * 74),
    ],
)
def test_a_reason_is_cut_between_characters_to_the_bytes_that_it_may_have(reason: str, kept: str) -> None:
    body = frames.read_frame(frames.refused(reason)).body
    assert body.decode() == kept
    assert len(body) <= frames.LONGEST_REASON


def read(record: bytes) -> tuple[frames.Message, int]:
    """Read a record that is alone."""
    number, frame, end = frames.read_record(memoryview(record), 0)
    assert end == len(record)
    return frames.read_message(frame, number), frame.flags


def test_records_lie_one_behind_the_other() -> None:
    data = memoryview(frames.record(wire.closed(7)) + frames.message(3, 4, 0, 2**64 - 1, b"body"))
    number, frame, at = frames.read_record(data, 0)
    assert (number, frame) == (0, wire.Frame(Kind.CLOSED, 0, 7, 0, b""))
    number, frame, at = frames.read_record(data, at)
    assert (number, frame) == (2**64 - 1, wire.Frame(Kind.MESSAGE, 0, 3, 4, b"body"))
    assert at == len(data)


def test_a_greeting_is_no_records_whatever_its_session_says() -> None:
    session = bytes(6) + (20).to_bytes(4, "little") + bytes(6)
    greeting = frames.hello(Hello("d" * 4, "c" * 18, session, ()))
    assert frames.read_record(memoryview(greeting), 20)[2] == len(greeting), "else it is none that shows anything"
    assert not frames.are_records(memoryview(greeting))
    assert frames.are_records(memoryview(frames.message(1, 1, 0, 4660, b"body")))


@given(data=st.binary(max_size=120), at=st.integers(0, 120))
def test_no_bytes_are_read_as_more_than_they_are(data: bytes, at: int) -> None:
    with contextlib.suppress(WireError):
        _number, frame, end = frames.read_record(memoryview(data), at)
        assert at + wire.HEADER.size + 8 + len(frame.body) == end <= len(data)


def test_a_message_carries_its_payload_or_says_how_long_the_next_part_is() -> None:
    inline = wire.MESSAGE.pack(5, 1, 2, 3) + b"mrrppp"
    found, _ = read(frames.message(3, 4, 0, 9, inline))
    assert (found.number, found.sent_ns, found.metadata, found.record) == (9, 5, b"m", b"rr")
    assert (bytes(found.content), found.beside) == (b"ppp", 0)
    in_slot = wire.MESSAGE.pack(5, 1, 2, wire.SLOT.size) + b"mrr" + wire.SLOT.pack(1, 2, 3, 4, 5)
    found, flags = read(frames.message_beside(3, 4, IN_SLOT, 9, in_slot, 70_000))
    assert flags == 0
    assert (found.metadata, found.record, bytes(found.content), found.beside) == (b"m", b"rr", b"", 70_000)


@given(data=st.binary(max_size=120))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        frame = frames.read_frame(data)
        for read in (frames.read_hello, frames.read_stands):
            with contextlib.suppress(WireError):
                read(frame.body)
        frames.read_message(frame, 1)


@given(body=st.binary(max_size=120), flags=st.integers(0, 255))
def test_no_body_of_a_message_does_more_than_be_refused(body: bytes, flags: int) -> None:
    with contextlib.suppress(WireError):
        found = frames.read_message(wire.Frame(Kind.MESSAGE, flags, 1, 1, body), 1)
        assert len(found.metadata) + len(found.record) + len(found.content) <= len(body)
