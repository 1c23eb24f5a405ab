"""Frames on the sockets between nodes: their kinds, headers and bounds, without any I/O.

docs/wire-format.md is the specification; WIRE_VERSION changes with it. All numbers are little endian.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAGIC = b"DFLW"
WIRE_VERSION = 3
LARGEST_BODY = 4 * 1024 * 1024
MOST_TYPE_BYTES = 16 * 1024 * 1024
"""Of all types on one connection: a reader keeps them as long as it."""

MOST_RELEASED = 4096  # slots in one frame

HEADER = struct.Struct("<IBBHI")
HELLO = struct.Struct("<4sHH")
MESSAGE = struct.Struct("<qIII")
SLOT = struct.Struct("<IIIQQ")
RELEASE = struct.Struct("<III")

_new = tuple.__new__  # of a named tuple: half the time of calling its class

IN_SLOT = 0x01
AS_STREAM = 0x02


class Kind(IntEnum):
    """What a frame says; RELEASE, CREDIT, SEEN, LEFT and RING go back to the producer, the others to the consumer."""

    HELLO = 1
    TYPE = 2
    MESSAGE = 3
    RELEASE = 4
    CREDIT = 5
    CLOSED = 6
    SEEN = 7
    LEFT = 8
    RING = 9
    KNOCK = 10


class WireError(ValueError):
    """Bytes that are not frames of this protocol; the connection they came on is closed."""


SlotKey: TypeAlias = tuple[int, int, int]
"""A slot's life: its segment, its place there, its generation."""


class Frame(NamedTuple):
    """A frame: `link` is the edge's index where one is meant, `number` a type's number or a count."""

    kind: int
    flags: int
    link: int
    number: int
    body: bytes


class SlotName(NamedTuple):
    """Where a payload lies: the slot's place in its segment, and which of the slot's lives is meant."""

    segment: int
    slot: int
    generation: int
    offset: int
    size: int

    def key(self) -> SlotKey:
        """Name the slot's life, as a release does."""
        return self[:3]


class Message(NamedTuple):
    """The body of a MESSAGE: when it was sent (ns since 1970), its metadata, its record, and its payload or slot."""

    sent_ns: int
    metadata: bytes
    record: bytes
    payload: bytes | memoryview
    slot: SlotName | None


def frame(kind: Kind, body_size: int, flags: int = 0, link: int = 0, number: int = 0) -> bytes:
    """Write the header of a frame whose body follows."""
    return HEADER.pack(body_size, kind, flags, link, number)


def hello(producer: str) -> bytes:
    """Write the first frame on a connection: who sends. The descriptor of its memory goes with the first byte."""
    name = producer.encode()
    body = HELLO.pack(MAGIC, WIRE_VERSION, len(name)) + name
    return frame(Kind.HELLO, len(body)) + body


def read_hello(body: bytes) -> str:
    """Read who sends. Raises WireError for another protocol or version."""
    try:
        magic, version, length = HELLO.unpack_from(body)
    except struct.error:
        raise WireError("a malformed greeting") from None
    if magic != MAGIC:
        raise WireError("the peer speaks another protocol")
    if version != WIRE_VERSION:
        raise WireError(f"the peer speaks version {version} of the wire format, this node speaks {WIRE_VERSION}")
    name = body[HELLO.size :]
    try:
        producer = name.decode()
    except UnicodeDecodeError:
        raise WireError("a malformed greeting") from None
    if len(name) != length:
        raise WireError("a malformed greeting")
    return producer


def read_message(received: Frame) -> Message:
    """Read the body of a MESSAGE. Raises WireError if its parts do not add up."""
    body = received.body
    try:
        sent_ns, metadata_size, record_size, payload_size = MESSAGE.unpack_from(body)
        record_at = MESSAGE.size + metadata_size
        payload_at = record_at + record_size
        if payload_at + payload_size != len(body):
            raise WireError("a message whose parts do not add up to its length")
        slot = _new(SlotName, SLOT.unpack(body[payload_at:])) if received.flags & IN_SLOT else None
    except struct.error:
        raise WireError("a truncated message") from None
    payload = body[payload_at:] if slot is None else b""
    return _new(Message, (sent_ns, body[MESSAGE.size : record_at], body[record_at:payload_at], payload, slot))


def release(keys: Sequence[SlotKey]) -> bytes:
    """Write the frames that give slots back."""
    written = bytearray()
    for at in range(0, len(keys), MOST_RELEASED):
        some = keys[at : at + MOST_RELEASED]
        written += frame(Kind.RELEASE, len(some) * RELEASE.size)
        for key in some:
            written += RELEASE.pack(*key)
    return bytes(written)


def read_release(body: bytes) -> Iterator[SlotKey]:
    """Read which slots are given back. Raises WireError for a body that names none, or half of one."""
    if not body or len(body) % RELEASE.size:
        raise WireError("a malformed release")
    return cast("Iterator[SlotKey]", RELEASE.iter_unpack(body))


def credit(link: int, count: int) -> bytes:
    """Write the frame that lets the producer send `count` more messages on a link."""
    return frame(Kind.CREDIT, 0, link=link, number=count)


def seen(count: int) -> bytes:
    """Write the frame that says that `count` more messages in slots were read from the connection."""
    return frame(Kind.SEEN, 0, number=count)


def left() -> bytes:
    """Write the frame that ends the reading: only slots come back after it."""
    return frame(Kind.LEFT, 0)


def closed(link: int) -> bytes:
    """Write the frame that ends a link: nothing more comes on it."""
    return frame(Kind.CLOSED, 0, link=link)


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""
        self._parts: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that are whole. Raises WireError on a frame out of bounds."""
        if self._missing > len(data):  # a frame of many reads is put together once
            self._parts.append(data)
            self._missing -= len(data)
            return []
        if self._rest:
            data = b"".join((self._rest, *self._parts, data))
        return self._cut(data)

    def take_rest(self) -> bytes:
        """Give what is no whole frame yet, and forget it."""
        rest = b"".join((self._rest, *self._parts))
        self._rest, self._missing = b"", 0
        self._parts.clear()
        return rest

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        at, end = 0, len(data)
        needed = HEADER.size
        while end - at >= HEADER.size:
            size, kind, flags, link, number = HEADER.unpack_from(data, at)
            if size > LARGEST_BODY:
                raise WireError(f"a frame of {size} bytes; at most {LARGEST_BODY} are allowed")
            begin = at + HEADER.size
            if begin + size > end:
                needed = HEADER.size + size
                break
            at = begin + size
            frames.append(_new(Frame, (kind, flags, link, number, data[begin:at])))
        self._rest = data[at:]
        self._parts.clear()
        self._missing = needed - len(self._rest) if self._rest else 0
        return frames
