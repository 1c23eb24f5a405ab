"""A producer's pools as its consumers see them: mapped read-only, and given back slot by slot.

A buffer over a slot lives as long as any Arrow array on it; when the last one dies the slot's name is put into
`returned`, from any thread, and the node sends it back when it next talks to the producer.
"""

from __future__ import annotations

import mmap
import os
from collections import deque
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow_runtime.shm.wire import SlotName


class _Held:
    """Keeps a slot from being used again; dies with the last Arrow buffer over it."""

    __slots__ = ("_give_back", "_key", "_memory")

    def __init__(self, key: tuple[int, int, int], memory: pa.Buffer, give_back: Callable[[tuple[int, int, int]], None]):
        self._key = key
        self._memory = memory
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back(self._key)


class Mapping:
    """The segments of one producer."""

    def __init__(self, folder: Path, wake: Callable[[], None]) -> None:
        self._folder = folder
        self._segments: dict[int, pa.Buffer] = {}
        self._wake = wake
        self.returned: deque[tuple[int, int, int]] = deque()

    def payload(self, slot: SlotName) -> pa.Buffer:
        """Give a read-only buffer over a slot. Raises WireError if there is no such memory."""
        segment = self._segments.get(slot.segment)
        if segment is None:
            segment = self._segments[slot.segment] = self._map(slot.segment)
        if slot.offset + slot.size > segment.size:
            raise WireError(f"a payload outside segment {slot.segment} of {self._folder.name}")
        held = _Held(slot.key(), segment, self._give_back)
        return pa.foreign_buffer(segment.address + slot.offset, slot.size, held)

    def discard(self, slot: SlotName) -> None:
        """Give a slot back unread."""
        self.returned.append(slot.key())

    def _give_back(self, key: tuple[int, int, int]) -> None:
        self.returned.append(key)
        self._wake()

    def _map(self, number: int) -> pa.Buffer:
        self._forget_removed()
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._folder / f"{number}.seg", flags)
        except OSError as error:
            raise WireError(f"segment {number} of {self._folder.name} cannot be mapped: {error.strerror}") from None
        try:
            mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise WireError(f"segment {number} of {self._folder.name} cannot be mapped: {error}") from None
        finally:
            os.close(descriptor)
        return pa.py_buffer(mapped)

    def _forget_removed(self) -> None:
        """Let go of segments that the producer has given up; arrays over them keep their own hold."""
        for number in tuple(self._segments):
            if not (self._folder / f"{number}.seg").exists():
                del self._segments[number]
