"""The YAML parser's complaints in plain words, each with the place to look at and the edit that mends it.

The parser library's own exceptions go no further than this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.meant_lines import (
    bracket_left_open,
    key_left_of_its_node,
    key_out_of_place,
    line_without_colon,
    second_colon,
)

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.meant_lines import Meant
    from doraflow.parser.text import Lines

_ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]")
_BEFORE_DOCUMENT = re.compile(r"[%#]|[ \t\r]*(?:#|$)", re.MULTILINE)
_FENCE = "```"
_TAB_INDENT = re.compile(r" *\t")
MOST_DIRECTIVES = 64


@dataclass(frozen=True, slots=True)
class _Wording:
    """How to tell a complaint. `at_start` points at where the construct began instead of where it failed."""

    said: str
    message: str
    help: str | None = None
    at_start: bool = False


_QUOTE = "put quotes around the text"
_NEW_LINE = "begin a new line that is aligned with the keys above"
_ALIGN = "align the line with the lines of the list or map that it belongs to"
_CLOSE_QUOTE = "add the missing quote"

_ENDS_OF_A_LIST = ("did not find expected '-' indicator", "expected <block end>")

# Looked up in this order in what the library says; both of its parsers use these words, but for small differences.
_WORDINGS = (
    _Wording("mapping values are not allowed", "a `:` stands where no key can be", f"{_QUOTE}, or {_NEW_LINE}"),
    _Wording("could not find expected ':'", "a line without `:` stands where a key must be", "add `:`", at_start=True),
    _Wording("did not find expected key", "the indentation fits no list or map that is open", _ALIGN),
    _Wording("expected <block end>", "the indentation fits no list or map that is open", _ALIGN),
    _Wording("did not find expected '-' indicator", "the indentation fits no list or map that is open", _ALIGN),
    _Wording("block sequence entries are not allowed", "a list entry `-` stands where none can be", "begin a new line"),
    _Wording("block mapping keys are not allowed", "a key stands where none can be", "begin a new line"),
    _Wording("found unexpected end of stream", "a quoted text is never closed", _CLOSE_QUOTE, at_start=True),
    _Wording("found unexpected document indicator", "a quoted text is never closed", _CLOSE_QUOTE, at_start=True),
    _Wording("',' or ']'", "a list in `[ ]` lacks a comma or its end", "add `,` between the values or `]` at the end"),
    _Wording("',' or '}'", "a map in `{ }` lacks a comma or its end", "add `,` between the entries or `}` at the end"),
    _Wording("unknown escape character", "an unknown escape in double quotes", "write `\\\\` or use single quotes"),
    _Wording("expected hexdecimal", "an escape lacks hexadecimal digits", "write `\\\\` or use single quotes"),
    _Wording("undefined alias", "an alias names no anchor before it", _QUOTE),
    _Wording("duplicate anchor", "an anchor stands twice", "give one of them another name"),
    _Wording("while scanning an alias", "`*` begins an alias, and a name must follow", _QUOTE, at_start=True),
    _Wording("while scanning an anchor", "`&` begins an anchor, and a name must follow", _QUOTE, at_start=True),
    _Wording("undefined tag handle", "a tag with an undeclared prefix", "remove the tag"),
    _Wording("while scanning a tag", "`!` begins a tag, and this one is malformed", _QUOTE),
    _Wording("directive", "a line that begins with `%` is a directive, and this one is malformed", _QUOTE),
    _Wording("did not find expected <document start>", "text stands after the end of the document", "remove the `...`"),
    _Wording("block scalar", "the header of a block text is malformed", "write `|` or `>` and begin a new line"),
    _Wording(
        "leading empty line contains more spaces", "an empty line is indented deeper than the text after it", _ALIGN
    ),
    _Wording("did not find expected node content", "a value is missing", "write the value"),
)

_AFTER_VALUE = _Wording("", "text stands after a value that is complete", "put quotes around the whole value")


def report_illegal_character(lines: Lines, sink: Sink) -> bool:
    """Report the first character that YAML allows nowhere; True if there is one."""
    match = _ILLEGAL.search(lines.text)
    if match is None:
        return False
    sink.error(
        "DF004",
        f"the character U+{ord(match[0]):04X} cannot stand in a YAML file",
        lines.span(match.start(), match.end()),
        help='remove it, or write it as an escape in double quotes, such as "\\x07"',
    )
    return True


def report_directives(lines: Lines, sink: Sink) -> bool:
    """Report a mass of directives at the start, each of which libyaml compares with all others; True if it is one."""
    start = count = 0
    while _BEFORE_DOCUMENT.match(lines.text, start):
        count += lines.text.startswith("%", start)
        end = lines.text.find("\n", start)
        if count > MOST_DIRECTIVES:
            message = f"more than {MOST_DIRECTIVES} directives stand before the dataflow, which needs none"
            sink.error("DF004", message, _line(lines, start), help="remove the lines that begin with `%`")
            return True
        if end < 0:
            break
        start = end + 1
    return False


def report_syntax_error(error: MarkedYAMLError, lines: Lines, sink: Sink) -> None:
    """Report why the parser gave up: as a tab in the indentation where that is the cause, else in plain words."""
    place = error.problem_mark or error.context_mark
    offset = place.index if place is not None else 0
    if _report_tab(lines, offset, sink) or _report_fence(lines, offset, sink):
        return
    said = " ".join(part for part in (error.context, error.problem) if part)
    began = error.context_mark.index if error.context_mark is not None else offset
    meant = _meant(said, began, offset, lines)
    if meant is not None:
        sink.error("DF004", meant.message, lines.span(meant.start, meant.end), help=meant.help)
        return
    wording = _character_wording(said, lines.text[offset : offset + 1]) or next(
        (wording for wording in _WORDINGS if wording.said in said), None
    )
    if wording is None:
        message = f"not YAML: {error.problem or error.context}"
        sink.error("DF004", message, _character(lines, offset), help="mend the line, or put quotes around its value")
        return
    if wording.help is _ALIGN and lines.text[lines.line_start(offset) : offset].strip():
        wording = _AFTER_VALUE
    if wording.at_start:
        sink.error("DF004", wording.message, lines.span(began, _line_end(lines, began)), help=wording.help)
        return
    related = [Label(_character(lines, began), "what it belongs to begins here")] if began < offset else []
    sink.error("DF004", wording.message, _character(lines, offset), related=related, help=wording.help)


def _meant(said: str, began: int, offset: int, lines: Lines) -> Meant | None:
    """Look for what was meant, for the complaints whose place or words do not lead to it."""
    if "mapping values are not allowed" in said:
        return second_colon(lines, offset) or key_out_of_place(lines, offset)
    if "could not find expected ':'" in said:
        return line_without_colon(lines, began)
    if any(words in said for words in _ENDS_OF_A_LIST):
        return key_left_of_its_node(lines, offset)
    if "',' or '" in said:
        return bracket_left_open(lines, began, offset)
    return None


def _character_wording(said: str, character: str) -> _Wording | None:
    if "did not find expected node content" in said and character and character in "]},":
        return _Wording(said, f"`{character}` stands where a value must be", f"remove it, or {_QUOTE}")
    if "expected key" in said and character == "-":
        return _Wording(said, "the indentation of this `-` fits no list that is open", _ALIGN)
    if "cannot start any token" not in said:
        return None
    shown = "a backtick" if character == "`" else f"`{character}`"
    return _Wording(said, f"a text without quotes cannot begin with {shown}", _QUOTE)


def _report_tab(lines: Lines, offset: int, sink: Sink) -> bool:
    start = lines.line_start(offset)
    match = _TAB_INDENT.match(lines.text, start)
    if match is None:
        return False
    sink.error(
        "DF005",
        "a tab stands in the indentation, and YAML indents with spaces only",
        lines.span(match.end() - 1, match.end()),
        help="replace the tab with spaces",
    )
    return True


def _report_fence(lines: Lines, offset: int, sink: Sink) -> bool:
    """Report the mark that encloses a block of code in Markdown."""
    if not lines.text.startswith(_FENCE, offset):
        return False
    message = "three backticks enclose a block of Markdown, and are no YAML"
    end = _line_end(lines, offset)
    sink.error("DF004", message, lines.span(offset, end), help="remove this line, and its counterpart")
    return True


def _character(lines: Lines, offset: int) -> Span:
    """Mark one character, or the place before a line's end."""
    end = offset if lines.text[offset : offset + 1] in "\r\n" else offset + 1
    return lines.span(offset, end)


def _line(lines: Lines, offset: int) -> Span:
    return lines.span(offset, _line_end(lines, offset))


def _line_end(lines: Lines, offset: int) -> int:
    end = lines.text.find("\n", offset)
    return len(lines.text.rstrip()) if end < 0 else len(lines.text[:end].rstrip())
