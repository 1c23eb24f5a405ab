"""The guardian: a small process that ends a run when its launcher has died without doing so.

It is forked before anything else is open and holds one pipe from the launcher. Lines on it name the process groups
that live (`+123`, `-123`); its end means that the launcher is gone. Whatever the reason, the groups are then killed
and the run directory is removed. It has a session of its own and ignores signals, so Ctrl-C does not reach it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.groups import exists, signal_group
from doraflow_runtime.launcher.leftovers import end_leftovers
from doraflow_runtime.launcher.run_directory import remove

if TYPE_CHECKING:
    from pathlib import Path

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
_PATIENCE = 3.0  # seconds; what is still there then hangs in the kernel, or nobody reaps it
_PAUSE = 0.02


class Guardian:
    """The launcher's end of the pipe. Not thread-safe; to be made while the process has one thread."""

    __slots__ = ("_pipe", "process")

    def __init__(self, run: Path) -> None:
        """Fork the guardian of the run in directory `run`."""
        reader, self._pipe = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            _become_guardian(reader, run)
        os.close(reader)

    def watch(self, group: int) -> bool:
        """Tell of a process group that lives; False if the guardian is gone."""
        return self._tell(f"+{group}\n")

    def forget(self, group: int) -> bool:
        """Tell of a process group that has ended; False if the guardian is gone."""
        return self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """Close the pipe, and wait until the guardian has ended what may be left and removed the run directory."""
        os.close(self._pipe)
        with contextlib.suppress(ChildProcessError):  # it was killed and has been reaped
            os.waitpid(self.process, 0)

    def _tell(self, line: str) -> bool:
        try:
            os.write(self._pipe, line.encode())
        except BrokenPipeError:
            return False
        return True


def _become_guardian(reader: int, run: Path) -> None:
    """Live as the guardian; never returns."""
    try:
        _let_go_of_everything_but(reader)
        groups = _read_groups(reader)
        _end(groups)
        if groups:
            end_leftovers(run)  # what has left its group
        remove(run)
    finally:
        os._exit(0)


def _let_go_of_everything_but(reader: int) -> None:
    os.setsid()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the listing's own descriptor is among them, and closed
        if int(name) != reader:
            _close(int(name))
    for _ in range(3):
        os.open(os.devnull, os.O_RDWR)
    os.chdir("/")


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return


def _read_groups(reader: int) -> set[int]:
    """Follow what the launcher tells until it is gone; the groups that live then."""
    groups: set[int] = set()
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            if line.startswith(b"+"):
                groups.add(int(line[1:]))
            else:
                groups.discard(int(line[1:]))
    return groups


def _end(groups: set[int]) -> None:
    deadline = time.monotonic() + _PATIENCE
    for group in sorted(groups):
        signal_group(group, signal.SIGKILL)
    while any(exists(group) for group in sorted(groups)) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
