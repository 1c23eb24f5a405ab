"""A bounded queue from the threads of a library to the one that waits on a node's epoll."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Mailbox(Generic[T]):
    """What other threads have to hand over, in order.

    `ring` is called when something is put into an empty one, from the thread that puts it. Beyond `room` nothing is
    taken: senders of frames never come so far, since they wait for credits.
    """

    def __init__(self, ring: Callable[[], None], room: int) -> None:
        self._ring = ring
        self._room = room
        self._lock = threading.Lock()
        self._items: deque[T] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def post(self, item: T) -> bool:
        """Put something in, from any thread; False if there is no room."""
        with self._lock:
            if len(self._items) >= self._room:
                return False
            self._items.append(item)
            is_first = len(self._items) == 1
        if is_first:
            self._ring()
        return True

    def clear(self) -> None:
        """Throw away what waits."""
        with self._lock:
            self._items.clear()

    def take(self) -> T | None:
        """Take what has waited longest; None if nothing waits."""
        with self._lock:
            return self._items.popleft() if self._items else None
