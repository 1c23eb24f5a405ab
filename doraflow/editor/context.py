"""Where in a file the cursor is, told from the lines alone, so that it works on text that does not parse.

The path of keys comes from the indentation of the lines above, and within `[…]` and `{…}` from the brackets before the
cursor. What may stand there is for `doraflow.editor.vocabulary`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.editor.positions import Place
    from doraflow.editor.vocabulary import Path

LONGEST_LINE = 10_000
"""Lines longer than this are not looked into, so that no line can keep an editor waiting."""

_LINE = re.compile(r"(?P<indent> *)(?P<dashes>(?:- +|-$)*)(?P<rest>.*)")
_COLON = re.compile(r":(?:\s+|$)")
_NO_KEY = frozenset("#[]{},&*!|>%@`?")
_FLOW_KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[\w./-]+)\s*:(?=[\s,}]|$)""")
_COMMENT = re.compile(r"(?:^|\s)#")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_WORD = re.compile(r"[^\s,\[\]{}:\"']*")
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Context:
    """What is being written: `path` leads to the value (or to the map that is to get a key).

    `typed` is what stands between the beginning of the word, at `column`, and the cursor; `end_column` is where the
    word ends behind it. `siblings` are the other keys of the map. `is_key` tells that a key may be meant, `is_value`
    that a value may be: a word alone on a line may be either.
    """

    path: Path
    typed: str
    column: int
    end_column: int
    siblings: frozenset[str] = frozenset()
    is_key: bool = False
    is_value: bool = False
    has_colon: bool = False
    flow: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A line taken apart: the columns of its dashes, and its key with its column, all from 0."""

    dashes: tuple[int, ...]
    column: int
    key: str | None
    value: str
    value_column: int


def context_at(text: str, place: Place) -> Context | None:
    """Tell what is being written at a place; None inside a comment or a block of text."""
    lines = text.split("\n")
    if place.line > len(lines) or len(lines[place.line - 1]) > LONGEST_LINE:
        return None
    line = lines[place.line - 1].rstrip("\r")
    before, after = line[: place.column - 1], line[place.column - 1 :]
    if _COMMENT.search(_QUOTED.sub(lambda match: "x" * len(match[0]), before)):
        return None
    here = _taken_apart(before)
    own = _Ancestry(_content(lines, range(place.line - 2, -1, -1)), here)
    if own.in_block_text:
        return None
    below = _content(lines, range(place.line, len(lines)))
    siblings = frozenset(own.siblings | _keys_below(below, here.column))
    if here.value[:1] in ("[", "{"):
        return _in_flow(own.path, here, siblings, after)
    return _in_block(own.path, here, siblings, before, after)


def _in_block(path: Path, here: _Line, siblings: frozenset[str], before: str, after: str) -> Context:
    if here.key is not None:
        typed = here.value[1:] if here.value[:1] in ('"', "'") else here.value
        end = len(before) + len(re.split(r"[\s\"']", after, maxsplit=1)[0].rstrip(",}]"))
        return Context((*path, here.key), typed, len(before) - len(typed) + 1, end + 1, is_value=True)
    typed = here.value
    word = _leading_word(after)
    has_colon = after[len(word) :].lstrip().startswith(":")
    column = len(before) - len(typed)
    return Context(
        path, typed, column + 1, len(before) + len(word) + 1, siblings, is_key=True, is_value=True, has_colon=has_colon
    )


def _in_flow(path: Path, here: _Line, siblings: frozenset[str], after: str) -> Context:
    """Tell what is being written inside brackets that begin on this line."""
    flow = _Flow((*path, here.key) if here.key is not None else path, siblings)
    flow.read(here.value)
    word = _leading_word(after)
    end = here.value_column + len(here.value)
    made = Context(flow.path, flow.typed, end - len(flow.typed) + 1, end + len(word) + 1, flow=True)
    if not flow.expects_key:
        return replace(made, is_value=True)
    behind = after[len(word) :]
    others = flow.keys | {_unquoted(match["key"]) for match in _FLOW_KEY.finditer(behind.partition("}")[0])}
    return replace(made, is_key=True, siblings=frozenset(others), has_colon=behind.lstrip().startswith(":"))


def _leading_word(text: str) -> str:
    match = _WORD.match(text)
    return match[0] if match else ""


class _Flow:
    """Brackets read up to the cursor: the path to it, and the word that is begun there."""

    def __init__(self, path: Path, siblings: frozenset[str]) -> None:
        self._base = path
        self._open: list[tuple[str, str | int | None, set[str]]] = []
        self._siblings = siblings
        self.typed = ""

    @property
    def path(self) -> Path:
        """The path to the innermost value, or to the map that is to get a key."""
        return (*self._base, *(step for _, step, _ in self._open if step is not None))

    @property
    def expects_key(self) -> bool:
        """Whether a key stands at the cursor."""
        return bool(self._open) and self._open[-1][0] == "{" and self._open[-1][1] is None

    @property
    def keys(self) -> set[str]:
        """The keys before the cursor in the innermost map."""
        return self._open[-1][2] if self._open else set(self._siblings)

    def read(self, text: str) -> None:
        """Take in the text from the first bracket to the cursor."""
        word = 0
        for match in re.finditer(rf"{_QUOTED.pattern}|[\[\]{{}},]|:(?=\s|$)", text):
            mark = match[0]
            if mark == ":":
                self._key(_unquoted(text[word : match.start()].strip()))
            elif mark in "[{":
                self._open.append((mark, 0 if mark == "[" else None, set()))
            elif mark in "]}":
                self._open = self._open[:-1]
            elif mark == ",":
                self._next()
            else:
                continue
            word = match.end()
        self.typed = text[word:].lstrip().lstrip("\"'")

    def _key(self, key: str) -> None:
        if self.expects_key:
            bracket, _, keys = self._open[-1]
            self._open[-1] = (bracket, key, {*keys, key})

    def _next(self) -> None:
        if self._open:
            bracket, step, keys = self._open[-1]
            self._open[-1] = (bracket, step + 1 if isinstance(step, int) else None, keys)


class _Ancestry:
    """The walk from a line up to the top of the file: the keys above it, and those beside it."""

    def __init__(self, above: Iterator[_Line], here: _Line) -> None:
        self.siblings: set[str] = set()
        self.in_block_text = False
        steps: list[str | int] = [0] * len(here.dashes)
        limit = here.dashes[0] if here.dashes else here.column
        is_list = bool(here.dashes)
        beside = here.column if not here.dashes else -1
        first = True
        for line in above:
            for column, step in _elements(line):
                if column == beside and isinstance(step, str):
                    self.siblings.add(step)
                if column < limit or (is_list and column == limit and isinstance(step, str)):
                    steps.append(step)
                    limit, is_list = column, isinstance(step, int)
                    self.in_block_text |= first and isinstance(step, str) and bool(_BLOCK_SCALAR.match(line.value))
                    first = False
            if limit == 0 and not is_list:
                break
            if beside >= 0 and limit < beside:
                beside = -1
        self.path: Path = tuple(reversed(steps))


def _elements(line: _Line) -> list[tuple[int, str | int]]:
    """List the key and dashes of a line with their columns, innermost first."""
    dashes: list[tuple[int, str | int]] = [(column, 0) for column in reversed(line.dashes)]
    return [(line.column, line.key), *dashes] if line.key is not None else dashes


def _keys_below(below: Iterator[_Line], column: int) -> set[str]:
    found: set[str] = set()
    for line in below:
        first = line.dashes[0] if line.dashes else line.column
        if first < column:
            break
        if not line.dashes and line.column == column and line.key is not None:
            found.add(line.key)
    return found


def _content(lines: list[str], numbers: range) -> Iterator[_Line]:
    """Take lines apart one by one, but for empty ones and comments."""
    for number in numbers:
        line = lines[number][:LONGEST_LINE].rstrip("\r")
        stripped = line.strip()
        if stripped and not stripped.startswith("#") and stripped not in ("---", "..."):
            yield _taken_apart(line)


def _taken_apart(line: str) -> _Line:
    match = _LINE.match(line)
    if match is None:
        return _Line((), 0, None, line, 0)
    start = len(match["indent"])
    dashes = tuple(start + found.start() for found in re.finditer("-", match["dashes"]))
    rest, column = match["rest"], match.start("rest")
    quoted = _QUOTED.match(rest)
    colon = _COLON.search(rest, quoted.end() if quoted else 0)
    if colon is None or rest[0] in _NO_KEY:
        return _Line(dashes, column, None, rest, column)
    return _Line(dashes, column, _unquoted(rest[: colon.start()].rstrip()), rest[colon.end() :], column + colon.end())


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
