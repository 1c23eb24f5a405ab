"""A bell by which other threads wake the one that waits on a node's epoll.

It carries no news: who hears it looks for them.
"""

from __future__ import annotations

import os
import threading


class Bell:
    """An eventfd. Any thread may ring it, also after it was closed: the threads of a library end when they do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Give the descriptor, which is readable from a ring until it is hushed."""
        return self._descriptor

    def ring(self) -> None:
        """Wake who waits."""
        with self._lock:
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    def hush(self) -> None:
        """Take the ring for heard. Raises BlockingIOError if there was none."""
        os.eventfd_read(self._descriptor)

    def close(self) -> None:
        """Close the descriptor."""
        with self._lock:
            os.close(self._descriptor)
            self._descriptor = -1
