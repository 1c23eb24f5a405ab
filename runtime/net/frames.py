"""Frames on the links between hosts: those of the wire format, and what only such links need, without any I/O.

docs/wire-format.md is the specification; NET_VERSION changes with it. Nothing here knows of sockets.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import HEADER, Frame, Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC = b"DFLN"
NET_VERSION = 3
LARGEST_HEAD = wire.LARGEST_BODY + 1024
"""Bytes of a frame without a payload that travels beside it."""

LARGEST_PART = 2 << 30
"""Bytes of a payload that travels beside its frame."""

IN_PIECES = 0x04
"""What flags of a message say whose payload travels beside several frames: its own, and those that follow."""

LONGEST_REASON = 300
"""Bytes of what a reader says when it hangs up."""
MOST_STANDS = 65535

_HELLO = struct.Struct("<4sHHH16s")
_STAND = struct.Struct("<HQQ")
_NUMBER = struct.Struct("<Q")
_MESSAGE = struct.Struct("<qIII")
_SLOT_BYTES = wire.SLOT.size


class NetKind(IntEnum):
    """What only a link between hosts says, beside HELLO, TYPE, MESSAGE, CLOSED and LEFT of the wire format."""

    WELCOME = 16
    GRANT = 17
    REFUSED = 18
    PIECE = 19


class Stand(NamedTuple):
    """Where a link stands, by its index.

    In a greeting `at` is the number of the first message that may follow, and `limit` 0. In what the reader says, `at`
    is the number of the last message that it has taken in, and `limit` that of the last one that may be sent.
    """

    link: int
    at: int
    limit: int


class Hello(NamedTuple):
    """Who sends: the dataflow, the node, a number that no other process has, and where its links stand."""

    dataflow: str
    producer: str
    session: bytes
    stands: tuple[Stand, ...]


class Message(NamedTuple):
    """A message as it lies in its record. `content` is empty and `beside` its size if it travels beside the record."""

    number: int
    sent_ns: int
    metadata: bytes
    record: bytes
    content: memoryview
    beside: int


def hello(greeting: Hello) -> bytes:
    """Write the first frame on a connection."""
    dataflow, producer = greeting.dataflow.encode(), greeting.producer.encode()
    head = _HELLO.pack(MAGIC, NET_VERSION, len(dataflow), len(producer), greeting.session)
    return _framed(Kind.HELLO, b"".join((head, dataflow, producer, _write_stands(greeting.stands))))


def read_hello(body: bytes) -> Hello:
    """Read who sends. Raises WireError for another protocol or version."""
    try:
        magic, version, dataflow_size, producer_size, session = _HELLO.unpack_from(body)
    except struct.error:
        raise WireError("a malformed greeting") from None
    if magic != MAGIC:
        raise WireError("the peer speaks another protocol")
    if version != NET_VERSION:
        raise WireError(f"the peer speaks version {version} of links between hosts, this node speaks {NET_VERSION}")
    middle = _HELLO.size + dataflow_size
    end = middle + producer_size
    if end > len(body):
        raise WireError("a malformed greeting")
    try:
        dataflow, producer = body[_HELLO.size : middle].decode(), body[middle:end].decode()
    except UnicodeDecodeError:
        raise WireError("a malformed greeting") from None
    return Hello(dataflow, producer, session, read_stands(body[end:]))


def welcome(stands: Iterable[Stand]) -> bytes:
    """Write the answer to a greeting."""
    return _framed(NetKind.WELCOME, _write_stands(stands))


def grant(stands: Iterable[Stand]) -> bytes:
    """Write how far links have come, and how far they may go."""
    return _framed(NetKind.GRANT, _write_stands(stands))


def refused(reason: str) -> bytes:
    """Write why nothing is read from the peer."""
    cut = reason.encode()[:LONGEST_REASON].decode(errors="ignore")  # no part of a character is left at its end
    return _framed(NetKind.REFUSED, cut.encode())


def left() -> bytes:
    """Write that nothing more comes from the sender, or nothing more is read by the reader."""
    return _framed(Kind.LEFT, b"")


def type_frame(number: int, schema: bytes) -> bytes:
    """Write a type that later messages name by its number."""
    return wire.frame(Kind.TYPE, len(schema), number=number) + schema


def record(frame: bytes, number: int = 0) -> bytes:
    """Write a frame of a sender as it travels after the greeting; `number` is that of a message on its link."""
    return _NUMBER.pack(number) + frame


def message(link: int, type_number: int, flags: int, number: int, body: bytes) -> bytes:
    """Write the record of a message with its payload; `body` is that of the wire format."""
    return b"".join((_NUMBER.pack(number), wire.frame(Kind.MESSAGE, len(body), flags, link, type_number), body))


def message_beside(link: int, type_number: int, flags: int, number: int, body: bytes, size: int) -> bytes:
    """Write the record of a message whose payload of `size` bytes is the next part; `body` names its slot."""
    sent_ns, metadata_size, record_size, _ = _MESSAGE.unpack_from(body)
    head = _MESSAGE.pack(sent_ns, metadata_size, record_size, size)
    rest = body[_MESSAGE.size : -_SLOT_BYTES]
    return message(link, type_number, flags & ~wire.IN_SLOT, number, head + rest)


def piece(link: int, number: int) -> bytes:
    """Write the record beside which the next piece of a message travels."""
    return record(HEADER.pack(0, NetKind.PIECE, 0, link, 0), number)


def read_frame(data: bytes) -> Frame:
    """Read a part that holds one frame. Raises WireError."""
    if len(data) < HEADER.size:
        raise WireError("a truncated frame")
    size, kind, flags, link, number = HEADER.unpack_from(data)
    if size != len(data) - HEADER.size:
        raise WireError("a frame that is not as long as it says")
    return Frame(kind, flags, link, number, data[HEADER.size :])


def read_record(data: memoryview, at: int) -> tuple[int, Frame, int]:
    """Read the record at a place: its number, its frame, and where the next one begins. Raises WireError."""
    begin = at + _NUMBER.size + HEADER.size
    if begin > len(data):
        raise WireError("a truncated record")
    (count,) = _NUMBER.unpack_from(data, at)
    size, kind, flags, link, number = HEADER.unpack_from(data, at + _NUMBER.size)
    if begin + size > len(data):
        raise WireError("a truncated record")
    return count, Frame(kind, flags, link, number, bytes(data[begin : begin + size])), begin + size


def are_records(data: memoryview) -> bool:
    """Tell whether bytes are records one behind the other, and no frame by itself."""
    if len(data) >= HEADER.size and HEADER.unpack_from(data)[0] == len(data) - HEADER.size:
        return False
    at = 0
    try:
        while at < len(data):
            _number, _frame, at = read_record(data, at)
    except WireError:
        return False
    return len(data) > 0


def read_message(frame: Frame, number: int) -> Message:
    """Read the body of a message, whose record had the number. Raises WireError if its parts do not add up."""
    body = frame.body
    try:
        sent_ns, metadata_size, record_size, content_size = _MESSAGE.unpack_from(body)
    except struct.error:
        raise WireError("a truncated message") from None
    record_at = _MESSAGE.size + metadata_size
    content_at = record_at + record_size
    rest = len(body) - content_at
    if frame.flags & ~(wire.AS_STREAM | IN_PIECES) or rest not in (0, content_size):
        raise WireError("a message whose parts do not add up to its length")
    metadata, record = body[record_at - metadata_size : record_at], body[record_at:content_at]
    return Message(number, sent_ns, metadata, record, memoryview(body)[content_at:], content_size - rest)


def read_stands(body: bytes) -> tuple[Stand, ...]:
    """Read where links stand. Raises WireError."""
    if len(body) % _STAND.size:
        raise WireError("a malformed list of links")
    return tuple(Stand(*values) for values in _STAND.iter_unpack(body))


def _write_stands(stands: Iterable[Stand]) -> bytes:
    return b"".join(_STAND.pack(*stand) for stand in stands)


def _framed(kind: IntEnum, body: bytes) -> bytes:
    return HEADER.pack(len(body), kind, 0, 0, 0) + body
