r"""Places in a text as an editor counts them and as the compiler does, and the edits that an editor sends.

An editor counts lines and columns from 0, columns in code units of an encoding (UTF-16 unless agreed otherwise), and
ends a line at `\n`, `\r\n` or `\r`. The compiler counts both from 1, columns in characters, and ends a line at `\n`
alone. Offsets into the text lead from one to the other. Nothing here knows YAML or the protocol's types.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from doraflow.parser.text import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Span

UTF_8, UTF_16, UTF_32 = "utf-8", "utf-16", "utf-32"

Position: TypeAlias = tuple[int, int]
"""A line and a column as the editor counts them."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_BEYOND_ONE_UNIT = 0x10000


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place between two characters, as the compiler counts: both numbers from 1."""

    line: int
    column: int

    def within(self, span: Span) -> bool:
        """Tell whether the place lies in a span or touches an end of it."""
        return (span.line, span.column) <= (self.line, self.column) <= (span.end_line, span.end_column)


class Text:
    """A text with its lines counted both ways."""

    __slots__ = ("_bom", "_editor_lines", "_lines", "_width", "text")

    def __init__(self, text: str, encoding: str = UTF_16) -> None:
        self.text = text
        self._width = {UTF_8: _utf_8_width, UTF_32: len}.get(encoding, _utf_16_width)
        self._editor_lines = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._lines = self._editor_lines
        if text.count("\n") + 1 != len(self._lines):
            self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._bom = int(text.startswith(BYTE_ORDER_MARK))

    def offset(self, position: Position) -> int:
        """Give the offset of an editor's position; one beyond the end of its line is the end of the line."""
        line, units = position
        if line >= len(self._editor_lines):
            return len(self.text)
        start = self._editor_lines[max(line, 0)]
        end = self._editor_lines[line + 1] if line + 1 < len(self._editor_lines) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        if content.isascii():
            return start + min(max(units, 0), len(content))
        taken = 0
        for index, letter in enumerate(content):
            if taken >= units:
                return start + index
            taken += self._width(letter)
        return start + len(content)

    def position(self, offset: int) -> Position:
        """Give the editor's position of an offset."""
        line = bisect_right(self._editor_lines, offset) - 1
        return line, self._width(self.text[self._editor_lines[line] : offset])

    def place(self, position: Position) -> Place:
        """Give the compiler's place of an editor's position."""
        offset = self.offset(position)
        line = bisect_right(self._lines, offset)
        column = offset - self._lines[line - 1] + 1
        return Place(line, column - self._bom if line == 1 else column)

    def range_of(self, span: Span) -> tuple[Position, Position]:
        """Give the editor's positions of both ends of a span, which may be of an older text."""
        return self.position(self._at(span.line, span.column)), self.position(self._at(span.end_line, span.end_column))

    def _at(self, line: int, column: int) -> int:
        if line > len(self._lines):
            return len(self.text)
        column = column + self._bom if line == 1 else column
        end = self._lines[line] - 1 if line < len(self._lines) else len(self.text)
        return min(self._lines[line - 1] + column - 1, end)


def edited(text: str, changes: Sequence[tuple[tuple[Position, Position] | None, str]], encoding: str = UTF_16) -> str:
    """Carry out an editor's changes, one after the other; a change without a range is the whole new text.

    >>> edited("a: 1", [(((0, 3), (0, 4)), "2")])
    'a: 2'
    """
    for place, new in changes:
        if place is None:
            text = new
        else:
            lines = Text(text, encoding)
            start, end = sorted((lines.offset(place[0]), lines.offset(place[1])))
            text = text[:start] + new + text[end:]
    return text


def _utf_16_width(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(ord(letter) >= _BEYOND_ONE_UNIT for letter in text)


def _utf_8_width(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
