"""Payload pools: shared memory that one node owns and writes, cut into slots that are used again.

The producer alone hands out and takes back slots, so nothing here needs atomic operations between processes. A pool is
used under its node's lock. Here segments come and go; their slots are the shelf's.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from doraflow_runtime.shm.chosen import Shelf
from doraflow_runtime.shm.memory import SharedMemory
from doraflow_runtime.shm.shelf import slot_size_of

if TYPE_CHECKING:
    from doraflow_runtime.shm.chosen import Segment, Slot

SEGMENT = 4 * 1024 * 1024
MOST_SLOTS = 64
DEFAULT_LIMIT = 1024**3
"""Bytes of shared memory a node may map: 25 frames of 4K RGBA with room to spare, and far from filling a machine."""

ROOM = 2
"""Times the limit: addresses to choose from, so that a large segment finds a place between small ones."""

IDLE_TAKES = 1024
IDLE_SECONDS = 1.0
"""After so many slots, and so long, segments that gave none of them are returned to the system.

Slots alone would not do: of a fast sender they are a hundredth of a second, and its readers fall that far behind again
and again. Having 4 MiB made anew takes as long as a hundred loans.
"""


RESERVE = 4
"""The part of the limit that is kept for outputs whose readers hold little."""


class Pool(Shelf):
    """The slots of one node, in segments of slots of one size, with at most `limit` bytes in use or at hand.

    `ready` bytes are there and mapped from the start, so that the first messages wait for no page; `huge_pages` asks
    for pages of 2 MiB, which `has_huge_pages` says were to be had. While it `has_reserve` the shelf hands nothing out
    by itself that would leave less than a quarter of the limit: who gets that is for the pool's owner to say.
    """

    def __init__(
        self,
        limit: int = DEFAULT_LIMIT,
        ready: int = 0,
        *,
        huge_pages: bool = False,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        memory = SharedMemory(ROOM * limit, min(ready, limit), huge_pages=huge_pages)
        super().__init__(memory.mapped, limit, IDLE_TAKES)
        self._memory = memory
        self._idle_at = IDLE_TAKES
        self._idle_seconds = idle_seconds
        self._tidied = time.monotonic()
        self._taken_then = 0
        self._largest = limit
        self.has_reserve = False
        self.has_huge_pages = memory.has_huge_pages
        self._placed: dict[int, Segment] = {}
        self._count = 0
        self.bytes_mapped = 0

    def fits(self, size: int) -> bool:
        """Tell whether a slot of at least `size` bytes can ever be had."""
        return slot_size_of(size) <= self.limit

    @property
    def for_readers(self) -> int:
        """The descriptor through which others can read all slots."""
        return self._memory.for_readers

    def take_at_hand(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes that is at hand; None if there is none."""
        slot = self.reuse(size)
        if self.taken >= self._idle_at:
            self._idle_at = self.taken + IDLE_TAKES
            self._give_up_idle()
        self.tidy_at = self._idle_at
        if self.has_reserve:
            room = self.limit - self.limit // RESERVE - self.bytes_in_use
            self.tidy_at = min(self._idle_at, self.taken + 1 + max(0, room // self._largest))
        return slot

    def is_reserved(self, size: int) -> bool:
        """Tell whether a slot of at least `size` bytes would be taken from the last quarter of the limit."""
        return self.bytes_in_use + slot_size_of(size) > self.limit - self.limit // RESERVE

    def take(self, size: int) -> Slot | None:
        """Hand out a slot of at least `size` bytes; None if that has to wait until others come back.

        Raises ValueError for more than the limit, OSError if the machine has no memory left and no slot is in use that
        might come back.
        """
        slot_size = slot_size_of(size)
        if slot_size > self.limit:
            raise ValueError(f"a message of {size} bytes does not fit into the {self.limit} that a node may share")
        slot = self.take_at_hand(size)
        if slot is None and self._grow(slot_size):
            slot = self.take_at_hand(size)
        return slot

    def close(self) -> None:
        """Share no more; slots that are handed out stay readable."""
        self._memory.close()

    def _grow(self, slot_size: int) -> bool:
        count = max(1, min(MOST_SLOTS, SEGMENT // slot_size))
        while (offset := self._place(count * slot_size, is_last_try=count == 1)) is None:
            if count == 1:
                return False
            count //= 2
        segment = self._placed[self._count] = self.add(self._count, slot_size, offset, count)
        self._count += 1
        self.bytes_mapped += segment.size
        self._largest = max(one.slot_size for one in self._placed.values())
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
            if not is_full or (is_last_try and not self.slots_in_use):
                text = f"{size} bytes of shared memory cannot be had: {error.strerror}"
                raise OSError(error.errno, text) from None
            self._give_up_unused(self.limit)
            return None
        return offset

    def _gap(self, size: int) -> int | None:
        """Find the first place between the segments that has room for `size` bytes."""
        end = 0
        for segment in sorted(self._placed.values(), key=_offset):
            if segment.offset - end >= size:
                return end
            end = segment.offset + segment.size
        return end if self._memory.size - end >= size else None

    def _give_up_unused(self, needed: int) -> None:
        """Return segments to the system of which no slot is in use, until `needed` more bytes may be mapped."""
        for segment in tuple(self._placed.values()):
            if self.bytes_mapped + needed <= self.limit:
                return
            if not segment.used:
                self._give_up(segment)

    def _give_up_idle(self) -> None:
        """Return segments that were not needed for a while: what a burst has taken is not kept for ever."""
        now = time.monotonic()
        if now - self._tidied < self._idle_seconds:
            return
        for segment in tuple(self._placed.values()):
            if not segment.used and segment.last_taken <= self._taken_then:
                self._give_up(segment)
        self._tidied, self._taken_then = now, self.taken

    def _give_up(self, segment: Segment) -> None:
        """Give a segment's pages back; its number is not used again."""
        del self._placed[segment.number]
        self.remove(segment.number)
        self.bytes_mapped -= segment.size
        self._memory.give_up(segment.offset, segment.size)


def _offset(segment: Segment) -> int:
    return segment.offset
