"""A thread that puts into a zenoh network: a put waits while the network is slow, and a node must not.

What is to be put is copied before it comes here, so that no thread reads memory that may be used again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import zenoh

if TYPE_CHECKING:
    from collections.abc import Callable


class Letter(NamedTuple):
    """A payload and what is attached to it."""

    payload: bytes
    attachment: bytes

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.payload) + len(self.attachment)


class Room(NamedTuple):
    """How much may wait: so many letters, of so many bytes together; one may always."""

    letters: int
    size: int


class Writer:
    """Puts letters one after the other; may be used from any thread.

    `put` is called from the writer's own thread. With `room` only the newest wait that it takes. `remind`, if given, is
    called whenever a second has gone by since `expect` without `calm`.
    """

    def __init__(
        self, put: Callable[[Letter], None], room: Room | None = None, remind: Callable[[], None] | None = None
    ) -> None:
        self._put = put
        self._remind = remind
        self._room = room
        self._waiting: deque[Letter] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._is_closing = False
        self._due: float | None = None
        self._thread: threading.Thread | None = None

    def write(self, letter: Letter) -> int:
        """Let a letter be put after those that wait; gives how many of these had to make room."""
        with self._changed:
            if self._is_closing:
                return 0
            dropped = self._make_room(letter.size)
            self._waiting.append(letter)
            self._size += letter.size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="zenoh writer", daemon=True)
                self._thread.start()
            self._changed.notify()
            return dropped

    def forget(self) -> None:
        """Drop what waits."""
        with self._changed:
            self._waiting.clear()
            self._size = 0
            self._due = None

    def expect(self, seconds: float) -> None:
        """Remind of an answer that has not come after some seconds."""
        with self._changed:
            self._due = time.monotonic() + seconds
            self._changed.notify()

    def calm(self) -> None:
        """Take note that the answer has come."""
        self._due = None

    def close(self) -> None:
        """Take nothing more; what waits is still put."""
        with self._changed:
            self._is_closing = True
            self._due = None
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait until all is put after `close`, for at most some seconds; then drop the rest."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))
        self.forget()

    def _make_room(self, size: int) -> int:
        """Drop the oldest letters, for one of `size` bytes."""
        if self._room is None:
            return 0
        before = len(self._waiting)
        while self._waiting and (len(self._waiting) >= self._room.letters or self._size + size > self._room.size):
            self._take()
        return before - len(self._waiting)

    def _take(self) -> Letter:
        letter = self._waiting.popleft()
        self._size -= letter.size
        return letter

    def _run(self) -> None:
        while (letter := self._next()) is not None:
            try:
                self._put(letter)
            except (zenoh.ZError, RuntimeError):  # the latter of a publisher that is being undeclared
                continue  # the session or its connection is gone, and tokens tell of that

    def _next(self) -> Letter | None:
        """Wait for a letter; None at the end."""
        while True:
            with self._changed:
                if self._waiting:
                    return self._take()
                if self._is_closing:
                    return None
                left = None if self._due is None else self._due - time.monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                self._due = None
            if self._remind is not None:
                self._remind()
