"""The slots of a node's shared memory, in Python: `doraflow_core.Shelf` is its compiled twin.

Which are at hand, which are in use, and who is still counted on each; where memory for them comes from is the business
of `Pool`. Used under the node's lock.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.shm.wire import SlotName

if TYPE_CHECKING:
    from mmap import mmap

    from doraflow_runtime.shm.wire import SlotKey

SMALLEST_SLOT = 8 * 1024

_STEPS = (
    2  # sizes between two powers of two differ by a quarter of the smaller one: at most a fifth of a slot is unused
)


@dataclass(slots=True, eq=False)
class Slot:
    """A slot in use: its memory, its name for others, how much of the pool it takes, and how many consumers hold it.

    `lent_by` is the thread that writes it through a loan, or 0.
    """

    name: SlotName
    memory: memoryview
    room: int
    holders: int = 0
    lent_by: int = 0


@dataclass(slots=True, eq=False)
class Segment:
    """A piece of the memory, cut into slots of one size; `last_taken` says when one of them was handed out last."""

    number: int
    slot_size: int
    offset: int
    generations: list[int]
    used: int = 0
    last_taken: int = 0

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.slot_size * len(self.generations)


class Shelf:
    """The slots of one node. Until `tidy_at` were handed out, nobody needs to look after the segments."""

    def __init__(self, memory: mmap, limit: int, tidy_at: int) -> None:
        self._view = memoryview(memory)
        self.limit = limit
        self.tidy_at = tidy_at
        self._segments: dict[int, Segment] = {}
        self._free: dict[int, list[tuple[Segment, int]]] = {}
        self._used: dict[tuple[int, int], Slot] = {}
        self.taken = 0
        self.bytes_in_use = 0

    @property
    def slots(self) -> list[Slot]:
        """The slots in use."""
        return list(self._used.values())

    @property
    def slots_in_use(self) -> int:
        """How many slots are handed out."""
        return len(self._used)

    def add(self, number: int, slot_size: int, offset: int, count: int) -> Segment:
        """Add a segment, and give it."""
        segment = self._segments[number] = Segment(number, slot_size, offset, [0] * count)
        free = self._free.setdefault(slot_size, [])
        free.extend((segment, index) for index in reversed(range(count)))
        return segment

    def remove(self, number: int) -> None:
        """Remove a segment of which nothing is in use."""
        segment = self._segments.pop(number)
        self._free[segment.slot_size] = [free for free in self._free[segment.slot_size] if free[0] is not segment]

    def reuse(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes that is at hand; None if there is none.

        The slot that came back last is handed out first: its pages are still in the cache.
        """
        free = self._free.get(slot_size_of(size))
        if not free:
            return None
        segment, index = free.pop()
        segment.used += 1
        self.taken += 1
        segment.last_taken = self.taken
        self.bytes_in_use += segment.slot_size
        offset = segment.offset + index * segment.slot_size
        name = SlotName(segment.number, index, segment.generations[index], offset, size)
        slot = Slot(name, self._view[offset : offset + size], segment.slot_size)
        self._used[segment.number, index] = slot
        return slot

    def room(self, key: SlotKey) -> int:
        """Say how many bytes of the pool a slot takes; 0 for one that is not in use."""
        slot = self._used.get(key[:2])
        return slot.room if slot is not None and slot.name.generation == key[2] else 0

    def hold(self, slot: Slot) -> None:
        """Count one more consumer that holds the slot."""
        slot.holders += 1

    def let_go(self, slot: Slot) -> None:
        """Count one holder less of a slot in use; the last one frees it."""
        slot.holders -= 1
        if slot.holders <= 0:
            self.free(slot)

    def release(self, key: SlotKey) -> bool:
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


@functools.lru_cache(maxsize=256)
def slot_size_of(size: int) -> int:
    """Round up to one of four sizes for each power of two."""
    if size <= SMALLEST_SLOT:
        return SMALLEST_SLOT
    step = 1 << ((size - 1).bit_length() - 1 - _STEPS)
    return (size + step - 1) & -step
