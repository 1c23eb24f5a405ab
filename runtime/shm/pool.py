"""Payload pools: shared memory that one node owns and writes, cut into slots that are used again.

The producer alone hands out and takes back slots, so nothing here needs atomic operations between processes. A pool is
used under its node's lock.
"""

from __future__ import annotations

import errno
import functools
from dataclasses import dataclass

from doraflow_runtime.shm.memory import SharedMemory
from doraflow_runtime.shm.wire import SlotName

SMALLEST_SLOT = 8 * 1024
SEGMENT = 4 * 1024 * 1024
MOST_SLOTS = 64
DEFAULT_LIMIT = 1024**3
"""Bytes of shared memory a node may map: 25 frames of 4K RGBA with room to spare, and far from filling a machine."""

ROOM = 2
"""Times the limit: addresses to choose from, so that a large segment finds a place between small ones."""

IDLE_TAKES = 1024
"""After so many slots were handed out, segments that gave none of them are returned to the system."""

_STEPS = (
    2  # sizes between two powers of two differ by a quarter of the smaller one: at most a fifth of a slot is unused
)


@dataclass(slots=True)
class Slot:
    """A slot in use: its memory, its name for others, how much of the pool it takes, and how many consumers hold it."""

    name: SlotName
    memory: memoryview
    room: int
    holders: int = 0


@dataclass(slots=True)
class _Segment:
    number: int
    slot_size: int
    offset: int
    generations: list[int]
    used: int = 0
    last_taken: int = 0

    @property
    def size(self) -> int:
        return self.slot_size * len(self.generations)


class Pool:
    """The slots of one node, in segments of slots of one size, with at most `limit` bytes in use or at hand.

    `ready` bytes are there and mapped from the start, so that the first messages wait for no page; `huge_pages` asks
    for pages of 2 MiB, which `has_huge_pages` says were to be had.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, ready: int = 0, *, huge_pages: bool = False) -> None:
        self._memory = SharedMemory(ROOM * limit, min(ready, limit), huge_pages=huge_pages)
        self.has_huge_pages = self._memory.has_huge_pages
        self.limit = limit
        self._segments: dict[int, _Segment] = {}
        self._free: dict[int, list[tuple[_Segment, int]]] = {}
        self._used: dict[tuple[int, int], Slot] = {}
        self._count = 0
        self._taken = 0
        self.bytes_mapped = 0
        self.bytes_in_use = 0

    @property
    def slots_in_use(self) -> int:
        """How many slots are handed out."""
        return len(self._used)

    def fits(self, size: int) -> bool:
        """Tell whether a slot of at least `size` bytes can ever be had."""
        return _slot_size(size) <= self.limit

    def reuse(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes that is at hand; None if there is none."""
        free = self._free.get(_slot_size(size))
        return self._hand_out(free, size) if free else None

    @property
    def for_readers(self) -> int:
        """The descriptor through which others can read all slots."""
        return self._memory.for_readers

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
        return self._hand_out(free, size)

    def _hand_out(self, free: list[tuple[_Segment, int]], size: int) -> Slot:
        segment, index = free.pop()
        segment.used += 1
        self._taken += 1
        segment.last_taken = self._taken
        if self._taken % IDLE_TAKES == 0:
            self._give_up_idle()
        self.bytes_in_use += segment.slot_size
        offset = segment.offset + index * segment.slot_size
        name = SlotName(segment.number, index, segment.generations[index], offset, size)
        slot = Slot(name, self._memory.view[offset : offset + size], segment.slot_size)
        self._used[segment.number, index] = slot
        return slot

    def room(self, key: tuple[int, int, int]) -> int:
        """Say how many bytes of the pool a slot takes; 0 for one that is not in use."""
        slot = self._used.get(key[:2])
        return slot.room if slot is not None else 0

    def hold(self, slot: Slot) -> None:
        """Count one more consumer that holds the slot."""
        slot.holders += 1

    def let_go(self, slot: Slot) -> None:
        """Count one holder less of a slot in use; the last one frees it."""
        slot.holders -= 1
        if slot.holders <= 0:
            self.free(slot)

    def release(self, key: tuple[int, int, int]) -> bool:
        """Count one holder less; the last one frees the slot. False for a slot, or a life of one, that is not in use.

        A late release of an earlier life changes nothing.
        """
        segment, index, generation = key
        slot = self._used.get((segment, index))
        if slot is None or slot.name.generation != generation:
            return False
        self.let_go(slot)
        return True

    def free(self, slot: Slot) -> None:
        """Take a slot back, whoever holds it. A slot that is free already is left alone."""
        place = slot.name.segment, slot.name.slot
        if self._used.get(place) is not slot:
            return
        del self._used[place]
        segment = self._segments[slot.name.segment]
        segment.used -= 1
        self.bytes_in_use -= slot.room
        segment.generations[slot.name.slot] = (slot.name.generation + 1) & 0xFFFFFFFF
        self._free[segment.slot_size].append((segment, slot.name.slot))

    def close(self) -> None:
        """Share no more; slots that are handed out stay readable."""
        self._memory.close()

    def _grow(self, slot_size: int, free: list[tuple[_Segment, int]]) -> bool:
        count = max(1, min(MOST_SLOTS, SEGMENT // slot_size))
        while (offset := self._place(count * slot_size, is_last_try=count == 1)) is None:
            if count == 1:
                return False
            count //= 2
        segment = _Segment(self._count, slot_size, offset, [0] * count)
        self._segments[self._count] = segment
        self._count += 1
        self.bytes_mapped += segment.size
        free.extend((segment, index) for index in reversed(range(count)))
        return True

    def _place(self, size: int, *, is_last_try: bool) -> int | None:
        """Find memory for a new segment; None if neither the limit nor the machine has room for it now."""
        self._give_up_unused(size)
        offset = self._gap(size)
        if self.bytes_mapped + size > self.limit or offset is None:
            return None
        try:
            self._memory.allocate(offset, size)
        except OSError as error:
            is_full = error.errno in (errno.ENOSPC, errno.ENOMEM)
            if not is_full or (is_last_try and not self._used):
                text = f"{size} bytes of shared memory cannot be had: {error.strerror}"
                raise OSError(error.errno, text) from None
            self._give_up_unused(self.limit)
            return None
        return offset

    def _gap(self, size: int) -> int | None:
        """Find the first place between the segments that has room for `size` bytes."""
        end = 0
        for segment in sorted(self._segments.values(), key=_offset):
            if segment.offset - end >= size:
                return end
            end = segment.offset + segment.size
        return end if self._memory.size - end >= size else None

    def _give_up_unused(self, needed: int) -> None:
        """Return segments to the system of which no slot is in use, until `needed` more bytes may be mapped."""
        for segment in tuple(self._segments.values()):
            if self.bytes_mapped + needed <= self.limit:
                return
            if not segment.used:
                self._give_up(segment)

    def _give_up_idle(self) -> None:
        """Return segments that were not needed for a while: what a burst has taken is not kept for ever."""
        for segment in tuple(self._segments.values()):
            if not segment.used and segment.last_taken <= self._taken - IDLE_TAKES:
                self._give_up(segment)

    def _give_up(self, segment: _Segment) -> None:
        """Give a segment's pages back; its number is not used again."""
        del self._segments[segment.number]
        self.bytes_mapped -= segment.size
        self._free[segment.slot_size] = [free for free in self._free[segment.slot_size] if free[0] is not segment]
        self._memory.give_up(segment.offset, segment.size)


def _offset(segment: _Segment) -> int:
    return segment.offset


@functools.lru_cache(maxsize=256)
def _slot_size(size: int) -> int:
    """Round up to one of four sizes for each power of two."""
    if size <= SMALLEST_SLOT:
        return SMALLEST_SLOT
    step = 1 << ((size - 1).bit_length() - 1 - _STEPS)
    return (size + step - 1) & -step
