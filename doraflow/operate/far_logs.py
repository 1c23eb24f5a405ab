"""The logs of a run's other hosts, copied while it goes on: their times are put on the clock of the host that is asked.

Copies lie in a folder for each host and look as the launcher's own do, so that all readers of logs can read them. What
is printed is not decided here.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client, ControlError
from doraflow_runtime.control.far_messages import MOST_OF_A_LOG, AskLogs, LogPart, Logs, ReadLog

from doraflow.logs.folders import is_log_name
from doraflow.logs.records import glance
from doraflow.operate.fleet import ask_host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doraflow_runtime.control.far_messages import LogFile
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.operate.fleet import HostView

MOST_OF_A_FILE = 8 * 2**20
"""How much of the end of a file is copied, and of what was added later at once: logs may be large, and links slow."""
PERIOD_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_STAMP = slice(15, 47)


class _Copy:
    """The copy of one file: its name, and how far the file was read."""

    __slots__ = ("name", "offset")

    def __init__(self, name: str, offset: int) -> None:
        self.name = name
        self.offset = offset


class FarLogs:
    """The copies of one run's logs, in folders below `base`. Not thread-safe."""

    def __init__(self, run: FoundRun, views: Sequence[HostView], base: Path) -> None:
        """Copy from the hosts that `views` says answer. Raises ControlError."""
        self._views = [view for view in views if view.seen is not None and view.status is not None]
        self._folders = {view.host: base / f"host{number}" for number, view in enumerate(self._views)}
        self._copies: dict[tuple[str, int], _Copy] = {}
        self._client = Client(run.directory, _ANSWER_SECONDS)
        self._own = run.facts.host
        self._next = 0.0
        for folder in self._folders.values():
            folder.mkdir()

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the copies."""
        return tuple(self._folders.values())

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes whose logs are copied."""
        return tuple(node for view in self._views for node in view.nodes)

    def pull(self) -> None:
        """Copy what is new, if the last time is a while ago; a host that does not answer is passed over."""
        if time.monotonic() < self._next:
            return
        for view in self._views:
            try:
                self._pull(view)
            except ControlError:
                continue
        self._next = time.monotonic() + PERIOD_SECONDS

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _pull(self, view: HostView) -> None:
        listed = ask_host(self._client, self._own, view.host, AskLogs(), _ANSWER_SECONDS)
        ahead = timedelta(microseconds=(view.seen.clock_us or 0) if view.seen is not None else 0)
        files = _sound(listed.files) if isinstance(listed, Logs) else ()
        self._forget(view.host, {file.number for file in files})
        # Those that are known come first: one that was put aside leaves its name to a new one.
        for file in sorted(files, key=lambda file: (view.host, file.number) not in self._copies):
            copy = self._copy_of(view.host, file)
            end = min(file.size, copy.offset + MOST_OF_A_FILE)
            while copy.offset < end:
                part = ask_host(self._client, self._own, view.host, ReadLog(file.number, copy.offset), _ANSWER_SECONDS)
                if not isinstance(part, LogPart) or not 0 < part.next - copy.offset <= MOST_OF_A_LOG:
                    break
                self._append(self._folders[view.host] / copy.name, part.text, ahead)
                copy.offset = part.next

    def _forget(self, host: str, listed: set[int]) -> None:
        """Forget files that are there no longer: the disk may give their numbers to others."""
        self._copies = {
            (of, number): copy for (of, number), copy in self._copies.items() if of != host or number in listed
        }

    def _copy_of(self, host: str, file: LogFile) -> _Copy:
        """Find the copy of a file, and let it be called as the file is now."""
        copy = self._copies.get((host, file.number))
        if copy is not None and file.size < copy.offset:
            copy = None  # another file has got the number
        if copy is None:
            copy = self._copies[host, file.number] = _Copy(file.name, max(0, file.size - MOST_OF_A_FILE))
        elif copy.name != file.name:
            folder = self._folders[host]
            if (folder / copy.name).exists():
                (folder / copy.name).rename(folder / file.name)
            copy.name = file.name
        return copy

    def _append(self, path: Path, text: str, ahead: timedelta) -> None:
        lines = [corrected(line, ahead) for line in text.encode().splitlines(keepends=True)]
        with path.open("ab") as stream:
            stream.write(b"".join(lines))


def _sound(files: Sequence[LogFile]) -> list[LogFile]:
    """Choose the files that are called as logs are: what a host says is never taken for a path."""
    return [file for file in files if is_log_name(file.name)]


def corrected(line: bytes, ahead: timedelta) -> bytes:
    """Put the time of a record on another clock, which the one it was written by is `ahead` of.

    >>> line = b'{"timestamp": "2026-01-02T03:04:05.000006+00:00", "level": "info", "node": "a"}'
    >>> corrected(line, timedelta(seconds=-1))[15:47]
    b'2026-01-02T03:04:06.000006+00:00'
    """
    seen = glance(line)
    if seen is None or not ahead:
        return line
    try:
        stamp = (datetime.fromisoformat(seen.timestamp) - ahead).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return line
    return line[: _STAMP.start] + stamp.encode() + line[_STAMP.stop :]
