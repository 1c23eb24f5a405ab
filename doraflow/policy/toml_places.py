"""Where the keys of a TOML text stand: the standard library's reader gives values without places.

The text must have been read by `tomllib`, so nothing is judged here. No recursion, one pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r"""
    (?P<skip>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<mark>[\[\]{}=,.])
    |(?P<bare>[^\s\[\]{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Place:
    """Offsets of a key and of its value, ends not included; of a table with a header, the header is both."""

    key_start: int
    key_end: int
    value_start: int
    value_end: int


def places(text: str) -> dict[KeyPath, Place]:
    r"""Find every key by its full path, the tables that a header opens too; keys inside arrays of tables by its path.

    >>> found = places('[tool.x]\nstrict = true # really\n')
    >>> found["tool", "x", "strict"]
    Place(key_start=9, key_end=15, value_start=18, value_end=22)
    """
    return dict(_Walk(text).keys())


class _Walk:
    """Walks over the tokens once."""

    def __init__(self, text: str) -> None:
        self._tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "skip"]
        self._at = 0
        self._headed: set[KeyPath] = set()

    def keys(self) -> Iterator[tuple[KeyPath, Place]]:
        prefix: KeyPath = ()
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.lastgroup == "newline":
                self._at += 1
            elif token[0] == "[":
                prefix = yield from self._header()
            else:
                yield from self._pair(prefix)

    def _header(self) -> Generator[tuple[KeyPath, Place], None, KeyPath]:
        """Give each table that a header names, at the header; return the path of the last one."""
        while self._peek() == "[":
            self._at += 1
        path, start, end = self._dotted()
        while self._peek() == "]":
            self._at += 1
        for length in range(1, len(path) + 1):
            if path[:length] not in self._headed:
                self._headed.add(path[:length])
                yield path[:length], Place(start, end, start, end)
        return path

    def _pair(self, prefix: KeyPath) -> Iterator[tuple[KeyPath, Place]]:
        """Give a key with its value, then the keys inside it if that is an inline table."""
        open_tables: list[tuple[KeyPath, int, int, int]] = []
        while True:
            path, start, end = self._dotted()
            path = (*prefix, *path)
            self._at += 1  # the equals sign
            begin = self._tokens[self._at].start()
            if self._peek() == "{":
                self._at += 1
                open_tables.append((path, start, end, begin))
                prefix = path
            else:
                yield path, Place(start, end, begin, self._skip_value())
            while open_tables and self._peek() in ("}", ",", "\n"):
                closed = self._tokens[self._at]
                self._at += 1
                if closed[0] == "}":
                    path, start, end, begin = open_tables.pop()
                    prefix = open_tables[-1][0] if open_tables else ()
                    yield path, Place(start, end, begin, closed.end())
            if not open_tables:
                return

    def _dotted(self) -> tuple[KeyPath, int, int]:
        parts: list[str] = []
        start = end = self._tokens[self._at].start()
        while self._at < len(self._tokens) and self._peek() not in ("=", "]", "\n"):
            token = self._tokens[self._at]
            if token[0] != ".":
                parts.append(token[0].strip("\"'"))
            end = token.end()
            self._at += 1
        return tuple(parts), start, end

    def _skip_value(self) -> int:
        """Pass over a value that is no inline table; give where it ends."""
        waiting: list[str] = []
        end = self._tokens[self._at].start()
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if not waiting and token[0] in ("\n", ",", "}"):
                break
            if token.lastgroup == "mark" and token[0] in _CLOSING:
                waiting.append(_CLOSING[token[0]])
            elif waiting and token[0] == waiting[-1]:
                waiting.pop()
            end = token.end() if token.lastgroup != "newline" else end
            self._at += 1
        return end

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""
