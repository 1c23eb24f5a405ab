"""Arrow arrays as they lie in a buffer: each Arrow buffer at a 64-byte boundary, and a record that says where.

The record lists, for every array of the type's tree in pre-order, its length, null count and offset and the position
and size of each of its buffers; docs/wire-format.md specifies it. Types that pyarrow cannot rebuild from buffers
(dictionaries, unions, …) travel as an Arrow IPC stream instead. Pure functions, usable from any thread.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

ALIGNMENT = 64
ABSENT = -1
MOST_ARRAYS = 4096
"""Arrays in a type's tree; a larger record would be larger than a frame, so such a type travels as a stream."""

_NODE = struct.Struct("<qqqB")
_BUFFER = struct.Struct("<qq")
_FLAT = struct.Struct("<qqqBqqqq")  # the record of an array without children that has two buffers
_MOST_BINARY = 2**31 - 1
_SLACK = 1024  # bytes of unused buffer that are cheaper to copy than to cut away


class LayoutError(ValueError):
    """A record that does not describe the buffer it came with."""


class Hole(NamedTuple):
    """A buffer of `size` bytes that is written later, in place."""

    size: int


Content: TypeAlias = "pa.Buffer | Hole"


class Parts(NamedTuple):
    """An array taken apart: what `pa.Array.from_buffers` takes, with its children."""

    length: int
    null_count: int
    offset: int
    buffers: tuple[Content | None, ...]
    children: tuple[Parts, ...] = ()


class Layout(NamedTuple):
    """Where everything lies: the record, the total size in bytes, and the buffers to copy with their positions."""

    record: bytes
    size: int
    pieces: tuple[tuple[int, pa.Buffer], ...]
    hole: int = ABSENT

    def write(self, target: memoryview) -> None:
        """Copy the buffers into `target`, which has at least `size` bytes; a hole is left as it is."""
        for position, buffer in self.pieces:
            target[position : position + buffer.size] = memoryview(buffer).cast("B")


def is_plain(kind: pa.DataType) -> bool:
    """Tell whether arrays of `kind` can be rebuilt from their buffers."""
    count = 0
    waiting = [kind]
    while waiting:
        kind = waiting.pop()
        count += 1
        if count > MOST_ARRAYS or _needs_stream(kind):
            return False
        waiting += [kind.field(index).type for index in range(kind.num_fields)]
    return True


def _needs_stream(kind: pa.DataType) -> bool:
    ask = pa.types
    is_view = ask.is_string_view(kind) or ask.is_binary_view(kind)
    is_view = is_view or ask.is_list_view(kind) or ask.is_large_list_view(kind)
    is_encoded = ask.is_dictionary(kind) or ask.is_run_end_encoded(kind) or isinstance(kind, pa.BaseExtensionType)
    return bool(is_view or is_encoded or ask.is_union(kind) or ask.is_map(kind))


def flat_width(kind: pa.DataType) -> int:
    """Give the bytes of a value of a type whose values lie side by side in one buffer; 0 for any other type."""
    return kind.bit_width // 8 if _is_fixed(kind) and kind.bit_width % 8 == 0 else 0


def flat_values(array: pa.Array[Any], width: int) -> pa.Buffer | None:
    """Give the values of an array of a type with this `flat_width`; None if it has, or may have, nulls."""
    validity, values = array.buffers()
    if validity is not None or values is None:
        return None
    size = len(array) * width
    if size == values.size and not array.offset:
        return values
    return values.slice(array.offset * width, size)


def flat_record(length: int, size: int) -> bytes:
    """Write the record of an array without nulls whose `length` values fill a payload of `size` bytes."""
    return _FLAT.pack(length, 0, 0, 2, ABSENT, 0, 0, size)


def take_apart(array: pa.Array[Any]) -> Parts:
    """Take a plain array apart; a slice is first cut out of the buffers that it shares."""
    size = array.get_total_buffer_size()
    if array.offset or (size > _SLACK and size > array.nbytes + _SLACK):
        array = pa.concat_arrays([array, array.slice(0, 0)])
    return _parts(array, iter(array.buffers()))


def _parts(array: Any, buffers: Iterator[pa.Buffer | None]) -> Parts:
    kind = array.type
    own = tuple(next(buffers) for _ in range(kind.num_buffers))
    children = tuple(_parts(child, buffers) for child in _children(array))
    return Parts(len(array), array.null_count, array.offset, own, children)


def _children(array: Any) -> list[Any]:
    if pa.types.is_struct(array.type):
        return [array.field(index) for index in range(array.type.num_fields)]
    return [array.values] if array.type.num_fields else []


def binary_hole(size: int, *, large: bool) -> Parts:
    """Describe one binary value of `size` bytes that is written later. Raises ValueError for more than it can hold."""
    if not large and size > _MOST_BINARY:
        raise ValueError(f"a Binary value has at most {_MOST_BINARY} bytes, not {size}: use LargeBinary")
    offsets = struct.pack("<qq" if large else "<ii", 0, size)
    return Parts(1, 0, 0, (None, pa.py_buffer(offsets), Hole(size)))


def byte_hole(size: int) -> Parts:
    """Describe a UInt8 array of `size` values that is written later."""
    return Parts(size, 0, 0, (None, Hole(size)))


def struct_hole(kind: pa.StructType, others: dict[str, Parts], member: str, size: int) -> Parts:
    """Describe one row of `kind` whose binary `member` is written later."""
    large = pa.types.is_large_binary(kind.field(member).type)
    children = tuple(binary_hole(size, large=large) if field.name == member else others[field.name] for field in kind)
    return Parts(1, 0, 0, (None,), children)


def lay_out(parts: Parts) -> Layout:
    """Give every buffer its position; holes come last, so that what is written later is one piece of memory."""
    record = bytearray()
    pieces: list[tuple[int, pa.Buffer]] = []
    listed = list(_in_order(parts))
    contents = [content for part in listed for content in part.buffers if content is not None]
    first_hole = sum(_aligned(content.size) for content in contents if isinstance(content, pa.Buffer))
    hole, end = first_hole, ABSENT
    position = 0
    for part in listed:
        record += _NODE.pack(part.length, part.null_count, part.offset, len(part.buffers))
        for content in part.buffers:
            if content is None:
                record += _BUFFER.pack(ABSENT, 0)
            elif isinstance(content, Hole):
                record += _BUFFER.pack(hole, content.size)
                end = hole + content.size
                hole += _aligned(content.size)
            else:
                record += _BUFFER.pack(position, content.size)
                pieces.append((position, content))
                position += _aligned(content.size)
    if end == ABSENT:
        return Layout(bytes(record), position, tuple(pieces))
    return Layout(bytes(record), end, tuple(pieces), first_hole)


def _in_order(parts: Parts) -> Iterator[Parts]:
    yield parts
    for child in parts.children:
        yield from _in_order(child)


def _aligned(size: int) -> int:
    return (size + ALIGNMENT - 1) & -ALIGNMENT


class Rebuilder:
    """Builds arrays of one type. A record like the one before it, as most are, is not read again."""

    __slots__ = ("_known", "_length", "_size", "kind")

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self._known: bytes | None = None
        self._length = self._size = 0

    def array(self, record: bytes, payload: pa.Buffer) -> pa.Array[Any]:
        """Do what `rebuild` does."""
        if record == self._known and payload.size == self._size:
            return pa.Array.from_buffers(self.kind, self._length, [None, payload], 0, 0, [])
        array = rebuild(self.kind, record, payload)
        if len(record) == _FLAT.size and _is_fixed(self.kind) and record == flat_record(len(array), payload.size):
            self._known, self._length, self._size = record, len(array), payload.size
        return array


def rebuild(kind: pa.DataType, record: bytes, payload: pa.Buffer) -> pa.Array[Any]:
    """Build the array that a record describes over `payload`, without copying.

    Raises LayoutError if the record and the payload do not make a valid array of `kind`.
    """
    reader = _Reader(record, payload)
    try:
        array = reader.array(kind)
        reader.finish()
        array.validate(full=not _is_fixed(kind))
    except (struct.error, pa.ArrowException, ValueError, TypeError) as error:
        raise LayoutError(f"not a valid array of {kind}: {error}") from None
    return array


def _is_fixed(kind: pa.DataType) -> bool:
    """Tell whether no value of the array points anywhere, so that sizes are all there is to check."""
    return pa.types.is_primitive(kind)


class _Reader:
    """Walks a record and a type side by side."""

    def __init__(self, record: bytes, payload: pa.Buffer) -> None:
        self._record = record
        self._payload = payload
        self._at = 0

    def array(self, kind: pa.DataType) -> pa.Array[Any]:
        length, null_count, offset, count = _NODE.unpack_from(self._record, self._at)
        self._at += _NODE.size
        if count != kind.num_buffers or length < 0 or offset < 0 or null_count > length:
            raise LayoutError("a record of another type")
        buffers = [self._buffer() for _ in range(count)]
        children = [self.array(kind.field(index).type) for index in range(kind.num_fields)]
        if buffers[0] is not None and null_count:
            null_count = -1  # counted again when asked for: kernels size their memory by it
        return pa.Array.from_buffers(kind, length, buffers, null_count, offset, children)

    def _buffer(self) -> pa.Buffer | None:
        position, size = _BUFFER.unpack_from(self._record, self._at)
        self._at += _BUFFER.size
        if position == ABSENT:
            return None
        if position < 0 or size < 0 or position + size > self._payload.size:
            raise LayoutError("a buffer outside the payload")
        if position % ALIGNMENT:
            raise LayoutError("a buffer that is not aligned")
        return self._payload.slice(position, size)

    def finish(self) -> None:
        if self._at != len(self._record):
            raise LayoutError("a record with something left over")


def to_stream(array: pa.Array[Any]) -> pa.Buffer:
    """Write an array of any type as an Arrow IPC stream with one column."""
    batch = pa.record_batch([array], names=[""])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def from_stream(payload: pa.Buffer) -> pa.Array[Any]:
    """Read what `to_stream` wrote. Raises LayoutError if it is something else."""
    try:
        with pa.ipc.open_stream(payload) as reader:
            batch = reader.read_next_batch()
            batch.validate(full=True)
            return batch.column(0)
    except (pa.ArrowException, StopIteration, OSError, IndexError) as error:
        raise LayoutError(f"not an Arrow stream: {error}") from None
