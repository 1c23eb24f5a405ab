"""Payload pools: shared memory that one node owns and writes, cut into slots that are used again.

The producer alone hands out and takes back slots, so nothing here needs atomic operations between processes. Memory is
asked of the kernel before it is used, so that a full /dev/shm is an error here and not a crash at the first write. A
pool is used under its node's lock.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.shm.wire import SlotName

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST_SLOT = 8 * 1024
SEGMENT = 4 * 1024 * 1024
MOST_SLOTS = 64
DEFAULT_LIMIT = 1024**3
"""Bytes of shared memory a node may map: 25 frames of 4K RGBA with room to spare, and far from filling /dev/shm."""

_STEPS = (
    2  # sizes between two powers of two differ by a quarter of the smaller one: at most a fifth of a slot is unused
)


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
    memory: mmap.mmap
    generations: list[int]
    used: int = 0


class Pool:
    """The slots of one node, in files `<number>.seg` of its pools folder, readable by this user only."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder
        self.limit = limit
        self._segments: dict[int, _Segment] = {}
        self._free: dict[int, list[tuple[_Segment, int]]] = {}
        self._used: dict[tuple[int, int], Slot] = {}
        self._count = 0
        self.bytes_mapped = 0

    @property
    def slots_in_use(self) -> int:
        """How many slots are handed out."""
        return len(self._used)

    def has_free(self, size: int) -> bool:
        """Tell whether a slot of at least `size` bytes is at hand."""
        return bool(self._free.get(_slot_size(size)))

    def take(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes; None if that has to wait until others come back.

        The slot that came back last is handed out first: its pages are still in the cache. Raises ValueError for more
        than the limit, OSError if the machine has no memory left and no slot is in use that might come back.
        """
        slot_size = _slot_size(size)
        if slot_size > self.limit:
            raise ValueError(f"a message of {size} bytes does not fit into the {self.limit} that a node may share")
        free = self._free.setdefault(slot_size, [])
        if not free and not self._grow(slot_size, free):
            return None
        segment, index = free.pop()
        segment.used += 1
        offset = index * slot_size
        name = SlotName(segment.number, index, segment.generations[index], offset, size)
        slot = Slot(name, memoryview(segment.memory)[offset : offset + size])
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
        """Take a slot back, whoever holds it. A slot that is free already is left alone."""
        place = slot.name.segment, slot.name.slot
        if self._used.get(place) is not slot:
            return
        del self._used[place]
        segment = self._segments[slot.name.segment]
        segment.used -= 1
        segment.generations[slot.name.slot] = (slot.name.generation + 1) & 0xFFFFFFFF
        self._free[segment.slot_size].append((segment, slot.name.slot))

    def _grow(self, slot_size: int, free: list[tuple[_Segment, int]]) -> bool:
        count = max(1, min(MOST_SLOTS, SEGMENT // slot_size))
        while (memory := self._memory(count * slot_size, is_last_try=count == 1)) is None:
            if count == 1:
                return False
            count //= 2
        segment = _Segment(self._count, slot_size, memory, [0] * count)
        self._segments[self._count] = segment
        self._count += 1
        self.bytes_mapped += count * slot_size
        free.extend((segment, index) for index in reversed(range(count)))
        return True

    def _memory(self, size: int, *, is_last_try: bool) -> mmap.mmap | None:
        """Map a new segment; None if neither the limit nor the machine has room for it now."""
        self._give_up_unused(size)
        if self.bytes_mapped + size > self.limit:
            return None
        try:
            return self._map(self._count, size)
        except OSError as error:
            if error.errno != errno.ENOSPC or (is_last_try and not self._used):
                raise
        self._give_up_unused(self.limit)
        return None

    def _give_up_unused(self, needed: int) -> None:
        """Return segments to the system of which no slot is in use, until `needed` more bytes may be mapped."""
        for segment in tuple(self._segments.values()):
            if self.bytes_mapped + needed <= self.limit:
                return
            if not segment.used:
                self._unmap(segment)

    def _unmap(self, segment: _Segment) -> None:
        """Give a segment's pages back at once, also where a consumer still maps it; its number is not used again."""
        del self._segments[segment.number]
        self.bytes_mapped -= segment.slot_size * len(segment.generations)
        self._free[segment.slot_size] = [free for free in self._free[segment.slot_size] if free[0] is not segment]
        (self._folder / f"{segment.number}.seg").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a file system without holes: then the pages go with the last mapping
            segment.memory.madvise(mmap.MADV_REMOVE)

    def _map(self, number: int, size: int) -> mmap.mmap:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{number}.seg"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            return mmap.mmap(descriptor, size)
        except OSError as error:
            path.unlink()
            text = f"{size} bytes of shared memory cannot be had: {error.strerror}"
            raise OSError(error.errno, text, str(self._folder)) from None
        finally:
            os.close(descriptor)


def _slot_size(size: int) -> int:
    """Round up to one of four sizes for each power of two."""
    if size <= SMALLEST_SLOT:
        return SMALLEST_SLOT
    step = 1 << ((size - 1).bit_length() - 1 - _STEPS)
    return (size + step - 1) & -step
