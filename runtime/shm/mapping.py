"""A producer's memory as its consumers see it: mapped read-only, and given back slot by slot.

A buffer over a slot lives as long as any Arrow array on it; when the last one dies the slot's name is put into
`returned`, from any thread, and the node sends it back when it next talks to the producer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.formats.arrow import ALIGNMENT
from doraflow_runtime.shm.memory import map_received
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.shm.wire import SlotKey, SlotName


class _Held:
    """Keeps a slot from being used again; dies with the last Arrow buffer over it."""

    __slots__ = ("_give_back", "_key", "_memory")

    def __init__(self, key: SlotKey, memory: pa.Buffer, give_back: Callable[[SlotKey], None]):
        self._key = key
        self._memory = memory
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back(self._key)


class Mapping:
    """The memory of one producer, from the descriptor that came with its greeting; raises WireError if it is unfit.

    `note` is called, from any thread, with every slot that is let go; unless somebody else notes them, `returned` does.
    """

    def __init__(self, descriptor: int, wake: Callable[[], None]) -> None:
        self._memory = map_received(descriptor)
        self._address, self._size = self._memory.address, self._memory.size
        self._wake = wake
        self.returned: deque[SlotKey] = deque()
        self.note: Callable[[SlotKey], None] = self.returned.append

    def payload(self, slot: SlotName) -> pa.Buffer:
        """Give a read-only buffer over a slot. Raises WireError if there is no such memory."""
        if slot.offset + slot.size > self._size:
            raise WireError("a payload outside the producer's memory")
        if slot.offset % ALIGNMENT:
            raise WireError("a payload that does not lie at a multiple of 64 bytes")
        held = _Held(slot.key(), self._memory, self._give_back)
        return pa.foreign_buffer(self._address + slot.offset, slot.size, held)

    def discard(self, slot: SlotName) -> None:
        """Give a slot back unread."""
        self.note(slot.key())

    def _give_back(self, key: SlotKey) -> None:
        self.note(key)
        self._wake()
