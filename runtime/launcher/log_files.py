"""Log files: one file of JSON lines for each node, put aside when it is full.

A file that cannot be written is told, what is lost is counted, and the run goes on. In which folder the files lie is
decided in `log_folders`, what the lines say in `records`.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import cause
from doraflow_runtime.launcher.records import Record, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from doraflow_runtime.contract import LogRules

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
"""Seconds without an attempt after one that failed: it doubles, so that a disk with hardly any room makes no flood."""


def file_name(node: str) -> str:
    """Name the file of a node, whatever its id is.

    >>> file_name("front.camera"), file_name("../x")
    ('front.camera.jsonl', '%2E.%2Fx.jsonl')
    """
    safe = "".join(letter if letter.isalnum() or letter in "._-" else f"%{ord(letter):02X}" for letter in node)
    return f"{'%2E' + safe[1:] if safe.startswith('.') else safe}.jsonl"


class LogFiles:
    """The log files in a folder. `tell` is told of the first write that fails, and of every file that recovers."""

    __slots__ = ("_clock", "_files", "_tell", "_was_told", "path")

    def __init__(self, path: Path, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Take an existing folder. `clock` gives seconds."""
        self.path = path
        self._clock = clock
        self._files: dict[str, LogFile] = {}
        self._tell = tell
        self._was_told = False

    def file(self, node: str) -> Path:
        """Say where the records of a node lie."""
        return self.path / file_name(node)

    def write(self, node: str, records: Sequence[Record], rules: LogRules) -> None:
        """Append records of a node."""
        file = self._files.get(node)
        if file is None:
            file = self._files[node] = LogFile(node, self.file(node), rules, self._clock)
        had_trouble = file.trouble
        file.write(records)
        if had_trouble and not file.trouble:
            self._tell(f"`{file.path}` is written again: {_lines(file.told_lost)} of it were lost ({had_trouble})")
            self._was_told = any(other.trouble for other in self._files.values())
        elif file.trouble and not self._was_told:
            self._was_told = True
            self._tell(f"`{file.path}` cannot be written: {file.trouble}; the run goes on without a full log")

    def close(self) -> None:
        """Close all files, and tell what was lost and never told."""
        for file in self._files.values():
            trouble, lost = file.trouble, file.lost
            file.close()
            if lost:
                self._tell(f"`{file.path}` is not whole, it lacks {_lines(lost)} at its end ({trouble})")


class LogFile:
    """The log file of one node, which holds whole lines only.

    `trouble` is why it cannot be written just now, `retry_at` when that is tried again by `clock`, `lost` how many
    records it has cost since, and `told_lost` how many it had cost when the file could be written again.
    """

    __slots__ = (
        *("_clock", "_descriptor", "_node", "_pause", "_rules", "_size"),
        *("lost", "path", "retry_at", "told_lost", "trouble"),
    )

    def __init__(self, node: str, path: Path, rules: LogRules, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.trouble: str | None = None
        self.lost = 0
        self.told_lost = 0
        self._node = node
        self._rules = rules
        self._clock = clock
        self._descriptor: int | None = None
        self._size = 0
        self._pause = _SHORTEST_PAUSE
        self.retry_at = 0.0

    def write(self, records: Sequence[Record]) -> None:
        """Append records, one line each, in as many files as they need. Those that cannot be written are counted."""
        if self.trouble is not None and self._clock() < self.retry_at:
            self.lost += len(records)
            return
        lines = [f"{record.as_json()}\n".encode(errors="backslashreplace") for record in records]
        written = 0
        try:
            if self.trouble is not None:
                self._recover()
            for some in self._in_parts(lines):
                self._append(b"".join(some))
                written += len(some)
        except OSError as error:
            self._fail(error, len(records) - written)

    def close(self) -> None:
        """Close the file; if lines are missing at its end, that is the last thing written in it, where it can be."""
        if self.lost:
            with contextlib.suppress(OSError):  # the disk is still full, which is told otherwise
                self._recover()
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _in_parts(self, lines: list[bytes]) -> Iterator[list[bytes]]:
        """Divide lines among files; each part fits into the file that is current when it is asked for."""
        self._open()
        limit = self._rules.largest_file
        part: list[bytes] = []
        size = 0
        for line in lines if limit else ():
            if self._size + size + len(line) > limit and self._size + size:
                if part:
                    yield part
                self._put_aside()
                part, size = [], 0
            part.append(line)
            size += len(line)
        if part or not limit:
            yield part if limit else lines

    def _append(self, data: bytes) -> None:
        """Append whole lines, or nothing: what a full disk cuts off is taken away again. Raises OSError."""
        descriptor = self._open()
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            with contextlib.suppress(OSError):  # then half a line stands there: a reader passes over it
                os.ftruncate(descriptor, self._size)
            raise
        self._size += len(data)

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, _FLAGS, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        return self._descriptor

    def _put_aside(self) -> None:
        """Give the full file the next number, and remove those that are too many; the next write begins a new one."""
        self._release()
        numbers = sorted(aside_numbers(self.path))
        self.path.rename(aside(self.path, numbers[-1] + 1 if numbers else 1))
        for number in numbers[: max(0, len(numbers) + 1 - self._rules.kept_files)]:
            aside(self.path, number).unlink(missing_ok=True)
        self._open()

    def _fail(self, error: OSError, count: int) -> None:
        self.trouble = cause(error)
        self.lost += count
        self.retry_at = self._clock() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _recover(self) -> None:
        """Write down what was lost, in its place in the log. Raises OSError."""
        self._open()
        message = f"{_lines(self.lost)} were lost here: the log could not be written ({self.trouble})"
        gap = Record(timestamp(), "warn", self._node, message, "doraflow_runtime", {"lost": self.lost})
        self._append(f"{gap.as_json()}\n".encode(errors="backslashreplace"))
        self.told_lost, self.lost, self.trouble = self.lost, 0, None


def aside(path: Path, number: int) -> Path:
    """Name a log file that was put aside; the newest has the largest number."""
    return path.with_name(f"{path.name}.{number}")


def aside_numbers(path: Path) -> list[int]:
    """List the numbers of the files that were put aside, in no order."""
    begin = f"{path.name}."
    names = (entry.name for entry in os.scandir(path.parent) if entry.name.startswith(begin))
    return [int(name[len(begin) :]) for name in names if name[len(begin) :].isdecimal()]


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"
