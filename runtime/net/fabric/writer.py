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


class Writer:
    """Puts letters one after the other; may be used from any thread.

    `put` is called from the writer's own thread. With `room` only the newest so many wait. `remind`, if given, is
    called whenever a second has gone by since `expect` without `calm`.
    """

    def __init__(
        self, put: Callable[[Letter], None], room: int | None = None, remind: Callable[[], None] | None = None
    ) -> None:
        self._put = put
        self._remind = remind
        self._waiting: deque[Letter] = deque(maxlen=room)
        self._changed = threading.Condition()
        self._is_closing = False
        self._due: float | None = None
        self._thread: threading.Thread | None = None

    def write(self, letter: Letter) -> None:
        """Let a letter be put after those that wait."""
        with self._changed:
            if self._is_closing:
                return
            self._waiting.append(letter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="zenoh writer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self) -> None:
        """Drop what waits."""
        with self._changed:
            self._waiting.clear()
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

    def _run(self) -> None:
        while (letter := self._next()) is not None:
            try:
                self._put(letter)
            except zenoh.ZError:
                continue  # the session or its connection is gone, and tokens tell of that

    def _next(self) -> Letter | None:
        """Wait for a letter; None at the end."""
        while True:
            with self._changed:
                if self._waiting:
                    return self._waiting.popleft()
                if self._is_closing:
                    return None
                left = None if self._due is None else self._due - time.monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                self._due = None
            if self._remind is not None:
                self._remind()
