"""Writing to a terminal or pipe without ever waiting for its reader.

A launcher that hangs because nobody reads its output could not be stopped any more. So bytes wait here until the
descriptor takes them; if too many wait, whole lines are left out and counted.
"""

from __future__ import annotations

import os
import select
import stat
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow_runtime.launcher.loop import Loop

_CHUNK = select.PIPE_BUF  # a pipe that poll(2) calls writable takes this much at once
_MOST_WAITING = 8 * 1024 * 1024


class Outlet:
    """One descriptor to write to. `is_closed` once its reader is gone; the descriptor stays open."""

    __slots__ = ("_descriptor", "_left_out", "_loop", "_never_waits", "_poll", "_size", "_waiting", "is_closed")

    def __init__(self, descriptor: int, loop: Loop) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._never_waits = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._left_out = 0
        self.is_closed = False

    def write(self, line: str) -> None:
        """Write a line, now or when it can be taken; a line end is added."""
        if self.is_closed:
            return
        if self._left_out or self._size > _MOST_WAITING:
            self._left_out += 1  # until all that waits is written: one gap, not many
            return
        self._put(line)
        if len(self._waiting) == 1:
            self._write_what_fits()

    def finish(self) -> None:
        """Write all that waits, however long that takes; only for the very end."""
        self._loop.on_writable(self._descriptor, None)
        while self._has_more():
            self._poll.poll()
            self._write_one()

    def _put(self, line: str) -> None:
        data = memoryview(f"{line}\n".encode(errors="backslashreplace"))
        self._waiting.append(data)
        self._size += len(data)

    def _write_what_fits(self) -> None:
        while self._has_more() and self._takes_more():
            self._write_one()
        if not self._never_waits:
            self._loop.on_writable(self._descriptor, self._write_what_fits if self._has_more() else None)

    def _has_more(self) -> bool:
        if not self._waiting and self._left_out:
            count, self._left_out = self._left_out, 0
            self._put(f"({count} lines are not shown, since nobody read them; the log files hold them)")
        return bool(self._waiting) and not self.is_closed

    def _takes_more(self) -> bool:
        return self._never_waits or bool(self._poll.poll(0))

    def _write_one(self) -> None:
        part = self._waiting[0]
        try:
            written = os.write(self._descriptor, part[:_CHUNK])
        except BlockingIOError:
            return
        except OSError as error:
            # Nobody reads any more, or a redirected file is on a full disk: then later lines may fit again.
            self.is_closed = isinstance(error, BrokenPipeError)
            self._waiting.clear()
            self._size = 0
            return
        self._size -= written
        if written == len(part):
            self._waiting.popleft()
        else:
            self._waiting[0] = part[written:]
