"""Files as text: reading within a bound, decoding, and the places of characters in lines.

Nothing here knows YAML. Of the parser, only this module, `load` and `modules` touch the disk.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

from doraflow import disk
from doraflow.diagnostics import Span

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.diagnostics import Sink

LARGEST_FILE = 32 * 2**20
BYTE_ORDER_MARK = "\ufeff"
_OTHER_BREAK = re.compile("[\r\x85\u2028\u2029]")  # what else begins a new line in YAML
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Mark(Protocol):
    """A place as the YAML parser tells it, counted from 0; both of its implementations have marks of their own."""

    index: int
    line: int
    column: int


class Lines:
    """Turns offsets in a text into lines and columns. A line ends with a line feed."""

    __slots__ = ("_breaks_once", "_starts", "file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)
        self._breaks_once = _OTHER_BREAK.search(text) is None

    def span(self, start: int, end: int) -> Span:
        """Give the span from offset `start` up to, not including, offset `end`; both are kept inside the text."""
        length = len(self.text)
        start = min(max(start, 0), length)
        end = min(max(end, start), length)
        starts = self._starts
        first = bisect_right(starts, start)
        last = first if first == len(starts) or end < starts[first] else bisect_right(starts, end)
        return Span(self.file, first, start - starts[first - 1] + 1, last, end - starts[last - 1] + 1)

    def between(self, start: Mark, end: Mark) -> Span:
        """Give the span between two marks of the YAML parser.

        The parser has counted lines and columns already; that saves the search wherever it means the same by a line.
        """
        # libyaml counts a line more at the end of a text that ends without a break.
        if self._breaks_once and end.line < len(self._starts):
            return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        return self.span(start.index, end.index)

    def line_start(self, offset: int) -> int:
        """Give the offset at which the line of `offset` begins."""
        return self._starts[bisect_right(self._starts, min(max(offset, 0), len(self.text))) - 1]


def read(path: Path, display: str, sink: Sink, largest: int = LARGEST_FILE) -> str | None:
    """Read a UTF-8 file of at most `largest` bytes, without its byte order mark; None after an error.

    The read itself is bounded, so a device or a pipe that never ends is refused as well.
    """
    try:
        content = disk.read(path, largest + 1)
    except OSError as error:
        message = f"`{display}` cannot be read: {_reason(error)}"
        sink.error("DF001", message, help="correct the path, or make the file readable")
        return None
    if len(content) > largest:
        sink.error(
            "DF003",
            f"`{display}` is larger than {largest // 2**20} MiB, the bound for a dataflow file",
            help="split the dataflow into modules, and keep data out of it",
        )
        return None
    return decode(content, display, sink)


def decode(content: bytes, display: str, sink: Sink) -> str | None:
    """Decode UTF-8 and drop a byte order mark; None after an error, which stands where the first bad byte is."""
    if content.startswith(_UTF_16_MARKS):
        sink.error("DF002", f"`{display}` is UTF-16, expected UTF-8", Span(display, 1, 1, 1, 1), help=_SAVE_AS_UTF_8)
        return None
    try:
        return content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").removeprefix(BYTE_ORDER_MARK)
        place = Lines(before, display).span(len(before), len(before))
        span = Span(display, place.line, place.column, place.line, place.column + 1)
        byte = content[error.start]
        sink.error("DF002", f"byte 0x{byte:02X} is not UTF-8 text", span, help=_SAVE_AS_UTF_8)
        return None


_SAVE_AS_UTF_8 = "save the file as UTF-8"


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "reading it is not permitted"
    return (error.strerror or str(error)).lower()
