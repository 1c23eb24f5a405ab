"""Messages made ready to send: arrays laid out inline or in a slot, and their types numbered.

Used under the node's lock.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from doraflow_runtime.formats import arrow
from doraflow_runtime.formats.arrow import Layout, flat_record, flat_values, lay_out, take_apart, to_stream
from doraflow_runtime.node_api.chosen import KnownType
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import AS_STREAM, IN_SLOT

if TYPE_CHECKING:
    from doraflow_runtime.formats.arrow import Parts
    from doraflow_runtime.shm.chosen import Slot

MOST_TYPES = 4096
"""Types that a connection can number; a node that sends more of them sends the others as streams."""

LARGEST_INLINE = 4096
"""Payload bytes that travel in the frame. Copying a page through a socket costs less than a slot and its release."""


class Laid(NamedTuple):
    """An array with its place worked out: `type_number` is 0 and `layout` has no record for an IPC stream."""

    type_number: int
    flags: int
    layout: Layout


class Preparer:
    """Numbers the types that a node sends; each is described once to each consumer."""

    def __init__(self) -> None:
        self._types: list[KnownType] = []
        self.last: dict[str, KnownType] = {}

    def schema(self, number: int) -> bytes:
        """Give the serialized schema of a type by its number."""
        return self._types[number - 1].schema

    def prepare(self, output: str, array: pa.Array[Any], metadata: bytes) -> Outgoing | Laid:
        """Write a message that travels in its frame, or work out where the buffers of a larger one go."""
        known = self._known(output, array.type)
        values = flat_values(array, known.width) if known is not None and known.width else None
        if known is None or values is None:
            laid = _lay(known, array)
            return message(laid, metadata, None) if laid.layout.size <= LARGEST_INLINE else laid
        length, size = len(array), values.size
        if known.length != length:
            known.length, known.record = length, flat_record(length, size)
        if size > LARGEST_INLINE:
            return Laid(known.number, 0, Layout(known.record, size, ((0, values),)))
        head = wire.MESSAGE.pack(time.time_ns(), len(metadata), len(known.record), size)
        return Outgoing(known.number, 0, b"".join((head, metadata, known.record, values)), None)

    def lay_parts(self, output: str, kind: pa.DataType, parts: Parts) -> Laid:
        """Work out where the buffers of an array go that is not written yet.

        Raises TypeError for a type that has to travel as a stream.
        """
        known = self._known(output, kind)
        if known is None or not known.is_plain:
            raise TypeError(f"output `{output}` cannot lend memory for {kind}, which is not sent in place: send it")
        if known.laid is not None and known.parts == parts:
            return known.laid
        laid = Laid(known.number, 0, lay_out(parts))
        if not laid.layout.pieces:
            known.parts, known.laid = parts, laid
        return laid

    def _known(self, output: str, kind: pa.DataType) -> KnownType | None:
        """Look a type up, or give it a number; None if it is too large for a frame or there are too many.

        An output's last type is found at once. Types whose fields have other metadata are other types.
        """
        last = self.last.get(output)
        if last is not None and _are_same(last.kind, kind):
            return last
        known = next((known for known in self._types if _are_same(known.kind, kind)), None)
        if known is None:
            schema = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
            if len(self._types) == MOST_TYPES or len(schema) > wire.LARGEST_BODY:
                return None
            is_plain = arrow.is_plain(kind)
            known = KnownType(len(self._types) + 1, kind, schema, is_plain, arrow.flat_width(kind) if is_plain else 0)
            self._types.append(known)
        self.last[output] = known
        return known


def _are_same(one: pa.DataType, other: pa.DataType) -> bool:
    return one is other or one.equals(other, check_metadata=True)


def _lay(known: KnownType | None, array: pa.Array[Any]) -> Laid:
    if known is not None and known.is_plain:
        return Laid(known.number, 0, lay_out(take_apart(array)))
    stream = to_stream(array)
    return Laid(0, AS_STREAM, Layout(b"", stream.size, ((0, stream),)))


def message(laid: Laid, metadata: bytes, slot: Slot | None) -> Outgoing:
    """Write the body of a message: the payload itself, or the name of the slot it lies in."""
    number, flags, (record, size, _, _) = laid
    if slot is not None:
        flags |= IN_SLOT
        content: bytes | bytearray = wire.SLOT.pack(*slot.name)
    else:
        content = bytearray(size)
        laid.layout.write(memoryview(content))
    head = wire.MESSAGE.pack(time.time_ns(), len(metadata), len(record), len(content))
    return Outgoing(number, flags, b"".join((head, metadata, record, content)), slot)
