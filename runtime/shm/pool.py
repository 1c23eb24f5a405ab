"""Payload pools: shared memory that one node owns and writes, cut into slots that are used again.

The producer alone hands out and takes back slots, so nothing here needs atomic operations between processes. A pool
is used under its node's lock.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.shm.wire import SlotName

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST_SLOT = 8 * 1024
SEGMENT = 4 * 1024 * 1024
MOST_SLOTS = 64
DEFAULT_LIMIT = 1024**3
"""Bytes of shared memory a node may map: 25 frames of 4K RGBA with room to spare, and far from filling /dev/shm."""


@dataclass(slots=True)
class Slot:
    """A slot in use: its memory, its name for others, and how many consumers hold it."""

    name: SlotName
    memory: memoryview
    holders: int = 0


@dataclass(slots=True)
class _Segment:
    number: int
    slot_size: int
    memory: memoryview
    generations: list[int] = field(default_factory=list)


class Pool:
    """The slots of one node, in files `<number>.seg` of its pools folder, readable by this user only."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._segments: list[_Segment] = []
        self._free: dict[int, list[tuple[_Segment, int]]] = {}
        self._used: dict[tuple[int, int], Slot] = {}
        self.bytes_mapped = 0

    @property
    def slots_in_use(self) -> int:
        """How many slots are handed out."""
        return len(self._used)

    def take(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes; None if that would exceed the limit.

        The slot that came back last is handed out first: its pages are still in the cache. Raises OSError if the
        file system has no room.
        """
        slot_size = max(SMALLEST_SLOT, 1 << (size - 1).bit_length()) if size else SMALLEST_SLOT
        free = self._free.setdefault(slot_size, [])
        if not free and not self._grow(slot_size, free):
            return None
        segment, index = free.pop()
        offset = index * slot_size
        name = SlotName(segment.number, index, segment.generations[index], offset, size)
        slot = Slot(name, segment.memory[offset : offset + size])
        self._used[segment.number, index] = slot
        return slot

    def hold(self, slot: Slot) -> None:
        """Count one more consumer that holds the slot."""
        slot.holders += 1

    def release(self, key: tuple[int, int, int]) -> bool:
        """Count one holder less; the last one frees the slot. False for a slot, or a life of one, that is not in use.

        A late release of an earlier life changes nothing.
        """
        segment, index, generation = key
        slot = self._used.get((segment, index))
        if slot is None or slot.name.generation != generation:
            return False
        slot.holders -= 1
        if slot.holders <= 0:
            self.free(slot)
        return True

    def free(self, slot: Slot) -> None:
        """Take a slot back, whoever holds it."""
        if self._used.pop((slot.name.segment, slot.name.slot), None) is None:
            return
        segment = self._segments[slot.name.segment]
        segment.generations[slot.name.slot] = (slot.name.generation + 1) & 0xFFFFFFFF
        self._free[segment.slot_size].append((segment, slot.name.slot))

    def _grow(self, slot_size: int, free: list[tuple[_Segment, int]]) -> bool:
        count = max(1, min(MOST_SLOTS, SEGMENT // slot_size))
        while count > 1 and self.bytes_mapped + count * slot_size > self._limit:
            count //= 2
        total = count * slot_size
        if self.bytes_mapped + total > self._limit:
            return False
        number = len(self._segments)
        segment = _Segment(number, slot_size, self._map(number, total), [0] * count)
        self._segments.append(segment)
        self.bytes_mapped += total
        free.extend((segment, index) for index in reversed(range(count)))
        return True

    def _map(self, number: int, size: int) -> memoryview:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{number}.seg"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.truncate(descriptor, size)
            return memoryview(mmap.mmap(descriptor, size))
        finally:
            os.close(descriptor)
