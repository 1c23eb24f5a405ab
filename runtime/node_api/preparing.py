"""Messages made ready to send: arrays laid out inline or in a slot, and their types numbered.

Used under the node's lock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from doraflow_runtime.formats.arrow import Layout, Parts, is_plain, lay_out, take_apart, to_stream
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import AS_STREAM, IN_SLOT

if TYPE_CHECKING:
    from doraflow_runtime.shm.pool import Slot

MOST_TYPES = 4096
"""Types that a connection can number; a node that sends more of them sends the others as streams."""

LARGEST_INLINE = 4096
"""Payload bytes that travel in the frame. Copying a page through a socket costs less than a slot and its release."""


@dataclass(frozen=True, slots=True)
class Laid:
    """An array with its place worked out: `type_number` is 0 and `layout` has no record for an IPC stream."""

    type_number: int
    flags: int
    layout: Layout


class Preparer:
    """Numbers the types that a node sends; each is described once to each consumer."""

    def __init__(self) -> None:
        self._types: list[tuple[pa.DataType, bool]] = []
        self._schemas: list[bytes] = []
        self._last: dict[str, int] = {}

    def schema(self, number: int) -> bytes:
        """Give the serialized schema of a type by its number."""
        return self._schemas[number - 1]

    def lay(self, output: str, array: pa.Array[Any]) -> Laid:
        """Work out where an array's buffers go."""
        number = self.number(output, array.type)
        if number and self._types[number - 1][1]:
            return Laid(number, 0, lay_out(take_apart(array)))
        stream = to_stream(array)
        return Laid(0, AS_STREAM, Layout(b"", stream.size, ((0, stream),)))

    def lay_parts(self, output: str, kind: pa.DataType, parts: Parts) -> Laid:
        """Work out where the buffers of an array go that is not written yet.

        Raises TypeError for a type that has to travel as a stream.
        """
        number = self.number(output, kind)
        if not number or not self._types[number - 1][1]:
            raise TypeError(f"output `{output}` cannot lend memory for {kind}, which is not sent in place: send it")
        return Laid(number, 0, lay_out(parts))

    def number(self, output: str, kind: pa.DataType) -> int:
        """Give a type its number, or 0 if it is too large for a frame or there are too many.

        An output's last type is found at once. Types whose fields have other metadata are other types.
        """
        last = self._last.get(output)
        if last is not None and _are_same(self._types[last - 1][0], kind):
            return last
        number = next((at for at, (known, _) in enumerate(self._types, 1) if _are_same(known, kind)), 0)
        if not number:
            schema = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
            if len(self._types) == MOST_TYPES or len(schema) > wire.LARGEST_BODY:
                return 0
            self._types.append((kind, is_plain(kind)))
            self._schemas.append(schema)
            number = len(self._types)
        self._last[output] = number
        return number


def _are_same(one: pa.DataType, other: pa.DataType) -> bool:
    return one is other or one.equals(other, check_metadata=True)


def message(laid: Laid, metadata: bytes, slot: Slot | None) -> Outgoing:
    """Write the body of a message: the payload itself, or the name of the slot it lies in."""
    record = laid.layout.record
    if slot is None:
        payload = bytearray(laid.layout.size)
        laid.layout.write(memoryview(payload))
        content: bytes | bytearray = payload
    else:
        name = slot.name
        content = wire.SLOT.pack(name.segment, name.slot, name.generation, name.offset, name.size)
    head = wire.MESSAGE.pack(time.time_ns(), len(metadata), len(record), len(content))
    body = [head + metadata + record, bytes(content)]
    size = len(body[0]) + len(body[1])
    return Outgoing(laid.type_number, laid.flags | (IN_SLOT if slot else 0), body, size, slot)
