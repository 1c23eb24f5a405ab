"""The log files of one node, read line by line: those put aside, then the one that grows; forwards or backwards.

The launcher appends whole lines, and gives a full file the next number (`camera.jsonl.7`) before it begins a new one.
A file is known by what it is and not by its name, so nothing is read twice or missed while that goes on. What the lines
say is not read here.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log: so many bytes into a file, which is known by its number on the disk."""

    file: int
    offset: int


class LogCursor:
    """Reads the log at `path` from its oldest line, or from `place`; each call of `lines` goes on where it stopped."""

    def __init__(self, path: Path, place: Place | None = None) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self._place = place

    def lines(self, stop: Place | None = None) -> Iterator[bytes]:
        """Give the whole lines that are there, without their ends, up to `stop` if that is given."""
        self._stream = stream = self._stream or self._begin()
        while stream is not None:
            is_last = stop is not None and _number(stream) == stop.file
            yield from _lines(stream, stop.offset if stop is not None and is_last else None)
            if is_last or _is_current(stream, self._path):
                return
            yield from _lines(stream, None)  # what came between the last look and the new name
            following = self._after(stream)
            if following is None:
                return
            stream.close()
            self._stream = stream = following

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _begin(self) -> BinaryIO | None:
        files: list[Path] = []
        while self._place is not None and files != (files := _files(self._path)):  # until none is renamed meanwhile
            for found in filter(None, map(_opened, files)):
                if _number(found) == self._place.file:
                    found.seek(self._place.offset)
                    return found
                found.close()
        return next((stream for path in _files(self._path) if (stream := _opened(path)) is not None), None)

    def _after(self, stream: BinaryIO) -> BinaryIO | None:
        """Open the file that follows; one that was removed already is followed by the oldest that is left."""
        while True:
            files = _files(self._path)
            own = _position(files, _number(stream))
            later = files if own is None else files[own + 1 :]
            found = next((opened for path in later if (opened := _opened(path)) is not None), None)
            if found is None or self._is_next(found, stream):
                return found
            found.close()  # between the list and the opening it was put aside: the name is another file's by now

    def _is_next(self, found: BinaryIO, stream: BinaryIO) -> bool:
        files = _files(self._path)
        at = _position(files, _number(found))
        own = _position(files, _number(stream))
        return at is not None and at == (0 if own is None else own + 1)


def end_of(path: Path) -> Place | None:
    """Say where the log at `path` ends now; None if there is none yet."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Place(found.st_ino, found.st_size)


def lines_backwards(path: Path, end: Place | None) -> Iterator[bytes]:
    """Give the lines before `end`, the last one first."""
    files = _files(path)
    limit = None
    if end is not None and (at := _position(files, end.file)) is not None:
        files, limit = files[: at + 1], end.offset
    for file in reversed(files):
        stream = _opened(file)
        if stream is not None:
            with stream:
                yield from _reversed(stream, os.fstat(stream.fileno()).st_size if limit is None else limit)
        limit = None


def _lines(stream: BinaryIO, limit: int | None) -> Iterator[bytes]:
    """Read whole lines; what is not a whole line yet is left where it is."""
    begin = stream.tell()
    while limit is None or begin < limit:
        line = stream.readline()
        if not line.endswith(b"\n"):
            stream.seek(begin)
            return
        begin += len(line)
        yield line[:-1]


def _reversed(stream: BinaryIO, size: int) -> Iterator[bytes]:
    rest = b""
    parts: list[bytes] = []  # of a line that is longer than a block, its end first
    at = size
    while at > 0:
        start = max(0, at - _BLOCK)
        stream.seek(start)
        block = stream.read(at - start)
        at = start
        first, newline, others = block.partition(b"\n")
        if not newline:
            parts.append(block)
            continue
        *whole, rest = others.split(b"\n")
        last = rest + b"".join(reversed(parts))
        if last:
            yield last
        yield from reversed(whole)
        parts = [first]
    if parts and any(parts):
        yield b"".join(reversed(parts))


def _files(path: Path) -> list[Path]:
    """List the files of a log, the oldest first, the one that grows last."""
    begin = f"{path.name}."
    try:
        names = [entry.name[len(begin) :] for entry in os.scandir(path.parent) if entry.name.startswith(begin)]
    except FileNotFoundError:
        return []
    return [
        path.with_name(f"{begin}{number}") for number in sorted(int(name) for name in names if name.isdecimal())
    ] + [path]


def _position(files: list[Path], number: int) -> int | None:
    """Find the file of a number among files of which some may be gone."""
    for at, path in enumerate(files):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == number:
                return at
    return None


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _number(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_ino


def _is_current(stream: BinaryIO, path: Path) -> bool:
    try:
        return path.stat().st_ino == _number(stream)
    except FileNotFoundError:
        return False
