"""Lines cut out of what a process writes, each of bounded length.

A line ends at a newline or at a carriage return, so a progress bar that redraws itself gives one line per state.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_LINE = 64 * 1024
_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


class Line(NamedTuple):
    """A line without its end; `goes_on` says that it was longer and the next one continues it."""

    text: str
    goes_on: bool = False


class LineSplitter:
    r"""Takes bytes as they come and gives the lines that are whole.

    Bytes that are no UTF-8 are written as `\x..`, so that nothing is lost and every log is text.

    >>> splitter = LineSplitter()
    >>> [line.text for line in splitter.feed(b"one\ntwo\nthr")]
    ['one', 'two']
    >>> [line.text for line in splitter.finish()]
    ['thr']
    """

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int = LONGEST_LINE) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[Line]:
        """Add bytes and take the lines that they complete."""
        data = self._rest + data
        *whole, self._rest = _END.split(data) if b"\r" in data else data.split(b"\n")
        lines = []
        for raw in whole:
            if len(raw) <= self._limit:
                lines.append(Line(_text(raw)))
            else:
                lines += self._pieces(raw)
        if len(self._rest) > self._limit:
            *full, last = self._cut(self._rest)
            lines += [Line(_text(piece), goes_on=True) for piece in full]
            self._rest = last
        return lines

    def finish(self) -> list[Line]:
        """Take what is left as the last line, if anything is."""
        rest, self._rest = self._rest, b""
        return self._pieces(rest.removesuffix(b"\r")) if rest else []

    def _pieces(self, raw: bytes) -> list[Line]:
        *full, last = self._cut(raw)
        return [*(Line(_text(piece), goes_on=True) for piece in full), Line(_text(last))]

    def _cut(self, raw: bytes) -> list[bytes]:
        """Cut into pieces of at most the limit, not inside of a character."""
        pieces = []
        while len(raw) > self._limit:
            end = self._limit
            while end > self._limit - 3 and raw[end] & 0xC0 == 0x80:
                end -= 1
            pieces.append(raw[:end])
            raw = raw[end:]
        return [*pieces, raw]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace")
