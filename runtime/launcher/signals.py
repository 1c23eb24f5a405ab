"""The signals that the launcher obeys, turned into something its loop can read.

A handler does nothing itself: Python writes the signal's number into a pipe, which wakes the loop.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

_Handler: TypeAlias = object

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalPipe:
    """A context in which SIGINT, SIGTERM, SIGHUP and SIGCHLD arrive as bytes on `descriptor`.

    SIGHUP stays ignored where the caller ignores it (nohup). Main thread only.
    """

    __slots__ = ("_before", "_writer", "descriptor")

    def __init__(self) -> None:
        self.descriptor = -1
        self._writer = -1
        self._before: dict[signal.Signals, _Handler] = {}

    def __enter__(self) -> Self:
        self.descriptor, self._writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (*STOPPING, signal.SIGCHLD):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, _nothing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned
        signal.set_wakeup_fd(-1)
        os.close(self.descriptor)
        os.close(self._writer)

    def read(self) -> list[signal.Signals]:
        """Take the signals that came since the last call, oldest first."""
        try:
            return [signal.Signals(number) for number in os.read(self.descriptor, 4096)]
        except BlockingIOError:
            return []


def _nothing(number: int, frame: object) -> None:
    """Do nothing: the wakeup descriptor has told the loop."""


def name_of(number: int) -> str:
    """Name a signal, also one that Python does not know.

    >>> name_of(9), name_of(63)
    ('SIGKILL', 'signal 63')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
