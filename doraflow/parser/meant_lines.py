"""Lines that YAML cannot read, and what was meant: a key without its colon, one too deep, a bracket never closed.

Each function looks at the text around the place where the YAML parser gave up, and gives a better place with words for
it, or None where the parser's own place is as good as any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.parser.timers import timer_meant

if TYPE_CHECKING:
    from doraflow.parser.text import Lines

LONGEST_SHOWN = 60
LONGEST_LINE = 1_000
_CLOSING = {"[": "]", "{": "}"}

_KEY_BEFORE_COLON = re.compile(r"(?P<indent> *(?:- +)*)(?P<key>[^\s\"'#\[{&*!|>%@`-][^\"'#:]*?)\s*")
_NO_SPACE = re.compile(r"(?P<key>[A-Za-z0-9_-]+):(?P<value>[^\s:/\\].*)")
_NO_COLON = re.compile(r"(?P<key>[A-Za-z0-9_-]+) +(?P<value>[^\s#].*)")
_NO_SPACE_AFTER_DASH = re.compile(r"-(?P<entry>[A-Za-z][A-Za-z0-9_]*: \S.*)")
_TWO_KEYS = re.compile(r" *(?:- +)*(?P<key>[A-Za-z0-9_-]+): +(?P<value>(?P<second>[A-Za-z]+):[^\n#]*)")
_KEY_LINE = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][A-Za-z0-9_-]*):(?:\s|$)")
_DASH_LINE = re.compile(r"(?P<indent> *)(?P<dash>- +)(?P<key>[A-Za-z_][A-Za-z0-9_-]*):(?:\s|$)")
_ITEM = re.compile(r" *(?:- +)*")
_BETWEEN_WORDS = re.compile(r"[\s,\[\]{}]")


@dataclass(frozen=True, slots=True)
class Meant:
    """What is wrong, from offset `start` up to `end`, and the edit that mends it."""

    start: int
    end: int
    message: str
    help: str


def line_without_colon(lines: Lines, offset: int) -> Meant | None:
    """Judge the line at whose text from `offset` on a key was expected."""
    text = _rest_of_line(lines, offset)
    if not text or len(text) > LONGEST_SHOWN:
        return None
    end = offset + len(text)
    if match := _NO_SPACE.fullmatch(text):
        message = f"`{text}` is no key with its value: a space must follow the `:`"
        return Meant(offset, end, message, f"write `{match['key']}: {match['value']}`")
    if match := _NO_COLON.fullmatch(text):
        message = f"`{text}` stands where a key must be, and has no `:`"
        return Meant(offset, end, message, f"write `{match['key']}: {match['value']}`")
    return Meant(offset, end, f"`{text}` stands where a key must be, and has no `:`", f"write `{text}:` and its value")


def key_out_of_place(lines: Lines, colon: int) -> Meant | None:
    """Judge a `:` where no key can be: a key too deep below the line before, or a line before that is no key itself."""
    start = lines.line_start(colon)
    if colon - start > LONGEST_LINE:
        return None
    match = _KEY_BEFORE_COLON.fullmatch(lines.text, start, colon)
    before = _line_before(lines, start)
    if match is None or before is None or len(match["key"]) > LONGEST_SHOWN:
        return None
    at, text = before
    if dash := _NO_SPACE_AFTER_DASH.fullmatch(text):
        message = f"`{text}` is no entry of a list: a space must follow the `-`"
        return Meant(at, at + len(text), message, f"write `- {dash['entry']}`")
    if _NO_SPACE.fullmatch(text) or (": " not in text and not text.endswith(":") and _NO_COLON.fullmatch(text)):
        return line_without_colon(lines, at)
    place = match.start("key")
    message = f"the key `{match['key']}` stands deeper than the keys above, below a value that is complete"
    return Meant(place, colon, message, "align it with the keys above")


def second_colon(lines: Lines, colon: int) -> Meant | None:
    """Judge a second `:` in one line, where the value before it was meant to be a timer."""
    start = lines.line_start(colon)
    if colon - start > LONGEST_LINE:
        return None
    match = _TWO_KEYS.match(lines.text, start)
    if match is None or not match.end("second") <= colon <= match.end("second") + 1:
        return None
    timer = timer_meant(match["value"].strip())
    if timer is None:
        return None
    message = f"a second `:` stands after `{match['second']}`, in the value of `{match['key']}`"
    return Meant(match.start("value"), match.start("value") + len(match["value"].rstrip()), message, f"write `{timer}`")


def key_left_of_its_node(lines: Lines, offset: int) -> Meant | None:
    """Judge a key that stands below the `-` of a list entry, where it must be aligned with the entry's first key."""
    start = lines.line_start(offset)
    match = _KEY_LINE.match(lines.text, start)
    dash = _dash_above(lines, start, len(match["indent"])) if match is not None else None
    if match is None or dash is None or len(match["key"]) > LONGEST_SHOWN:
        return None
    spaces = len(dash["dash"])
    message = f"the key `{match['key']}` stands below the `-`, left of the keys that it belongs to"
    mend = f"put {spaces} spaces before the line, so that it is aligned with `{dash['key']}`"
    return Meant(match.start("key"), match.end("key"), message, mend)


def bracket_left_open(lines: Lines, began: int, offset: int) -> Meant | None:
    """Judge a list or map in brackets that goes wrong at `offset`: left open, closed by another, or without a comma."""
    opening, found = lines.text[began : began + 1], lines.text[offset : offset + 1]
    closing = _CLOSING.get(opening)
    if closing is None:
        return None
    what = "list" if opening == "[" else "map"
    if found in ("]", "}"):
        message = f"`{found}` closes a {what} that began with `{opening}`"
        return Meant(offset, offset + 1, message, f"write `{closing}`")
    first = lines.line_start(began)
    here = lines.line_start(offset)
    if here != first and _indent(lines, here) <= _indent(lines, first):
        return Meant(
            began, began + 1, f"a {what} that begins with `{opening}` is never closed", f"add `{closing}` at its end"
        )
    word = _BETWEEN_WORDS.split(lines.text[max(here, offset - LONGEST_LINE) : offset])[-1] if found == ":" else ""
    if not word:
        return None
    start = offset - len(word)
    if lines.text[here:start].rstrip().endswith(":"):
        message = f"a second `:` stands after `{word}`, in one entry of a {what} that begins with `{opening}`"
        return Meant(start, offset + 1, message, "put quotes around the whole value")
    message = f"a comma is missing before `{word}`, in a {what} that begins with `{opening}`"
    return Meant(start, offset, message, f"write `, {word}`")


def _dash_above(lines: Lines, start: int, column: int) -> re.Match[str] | None:
    """Find the nearest line above that begins an entry of a list in a column, if no line between stands left of it."""
    while start > 0:
        start = lines.line_start(start - 1)
        if (match := _DASH_LINE.match(lines.text, start)) is not None and len(match["indent"]) == column:
            return match
        if _rest_of_line(lines, start).strip() and _indent(lines, start) <= column:
            return None
    return None


def _line_before(lines: Lines, start: int) -> tuple[int, str] | None:
    """Find the last line before `start` that holds more than a comment: where its text begins, and the text."""
    while start > 0:
        start = lines.line_start(start - 1)
        at = _text_start(lines, start)
        text = _rest_of_line(lines, at)
        if text and not text.startswith("#"):
            return at, text
    return None


def _text_start(lines: Lines, start: int) -> int:
    match = _ITEM.match(lines.text, start)
    return match.end() if match is not None else start


def _rest_of_line(lines: Lines, offset: int) -> str:
    end = lines.text.find("\n", offset)
    return lines.text[offset : len(lines.text) if end < 0 else end].rstrip()


def _indent(lines: Lines, start: int) -> int:
    end = start
    while lines.text.startswith(" ", end):
        end += 1
    return end - start
