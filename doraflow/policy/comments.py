"""The comments `# doraflow: ignore[DF207]` and `# doraflow: ignore-file[DF207]` of a file, found and taken apart.

A `#` inside quotes or a block scalar begins no comment: the tokens of YAML tell. They are made only for a text that
holds the word at all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.codes import code_of, nearest_codes
from doraflow.diagnostics import MOST_OF_A_KIND, Severity
from doraflow.parser.text import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Sink, Span

MARK = "doraflow:"

_COMMENT = re.compile(r"#[ \t]*doraflow:[ \t]*([^\s\[#]*)[ \t]*(?:\[([^\]\n#]*)(\]?))?[^\n]*")
_COMMENT_LINE = re.compile(r"[ \t]*#")
_WORDS = ("ignore", "ignore-file")
_ITEM = re.compile(r"[^\s,]+")
_FORM = "write `# doraflow: ignore[DF207]` at the line, or `# doraflow: ignore-file[DF207]` at the top of the file"


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """One code that a comment ignores, on `line` or, where that is None, in the whole file. `span` marks the code."""

    code: str
    line: int | None
    span: Span


def ignore_comments(text: str, file: str, sink: Sink) -> list[IgnoreComment]:
    """Find what the comments of a file ignore, in the order of the file; malformed ones are told."""
    if MARK not in text:
        return []
    matches = [match for match in _COMMENT.finditer(text) if _begins_comment(text, match.start())]
    if not matches:
        return []
    reader = _Reader(text, file, sink)
    return [comment for match in matches for comment in reader.read(match)]


class _Reader:
    """Takes the comments of one text apart."""

    def __init__(self, text: str, file: str, sink: Sink) -> None:
        self._lines = Lines(text, file)
        self._scalars, self._content_start = _scalars(text)
        self._meant = _LinesMeant(text)
        self._sink = sink
        self._unknown = 0

    def read(self, match: re.Match[str]) -> Iterator[IgnoreComment]:
        """Give what one comment ignores; nothing if it is none, or malformed."""
        start = match.start()
        if self._scalars.hold(start):
            return
        span = self._lines.span(start, start + len(match[0].rstrip()))
        whole_file = match[1] == "ignore-file"
        if match[1] not in _WORDS or match[3] != "]" or not match[2].strip(" \t,"):
            message = "this comment ignores nothing: it is not in the form that is read"
            self._sink.warning("DF016", message, span, help=_FORM)
        elif whole_file and start > self._content_start:
            message = "`ignore-file` has no effect here: it is read above the first line that is no comment"
            self._sink.warning("DF016", message, span, help="move this comment to the top of the file")
        else:
            line = None if whole_file else self._meant.line(start, span.line)
            yield from self._codes(match, line)

    def _codes(self, match: re.Match[str], line: int | None) -> Iterator[IgnoreComment]:
        for item in _ITEM.finditer(match[2]):
            span = self._lines.span(match.start(2) + item.start(), match.start(2) + item.end())
            code = code_of(item[0])
            if code is None and self._unknown > MOST_OF_A_KIND:
                self._sink.leave_out("DF016", Severity.WARNING)
            elif code is None:
                self._unknown += 1
                _tell_unknown(item[0], span, self._sink)
            else:
                yield IgnoreComment(code, line, span)


def _tell_unknown(spelt: str, place: Span, sink: Sink) -> None:
    near = nearest_codes(spelt)
    mend = f"write one such as {', '.join(f'`{code}`' for code in near)}" if near else "write a code such as `DF207`"
    sink.warning("DF016", f"there is no code `{spelt}`, so nothing is ignored for it", place, help=mend)


def _begins_comment(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] in " \t\n\r"


class _LinesMeant:
    """Tells which line a comment is for: its own, or the one below a run of lines that are comments only."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._below: dict[int, int] = {}

    def line(self, start: int, line: int) -> int:
        """Give the line for the comment that begins at offset `start`, on `line`."""
        begin = self._text.rfind("\n", 0, start) + 1
        if self._text[begin:start].strip():
            return line
        passed = []
        while _COMMENT_LINE.match(self._text, begin) and line not in self._below:
            passed.append(line)
            begin = self._text.find("\n", begin) + 1 or len(self._text)
            line += 1
        meant = self._below.get(line, line)
        self._below.update(dict.fromkeys(passed, meant))
        return meant


class _Scalars:
    """The stretches of a text that are the content of scalars."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Take the next stretch; they come in order."""
        self._starts.append(start)
        self._ends.append(end)

    def hold(self, offset: int) -> bool:
        """Tell whether an offset lies in one of them."""
        before = bisect_right(self._starts, offset) - 1
        return before >= 0 and offset < self._ends[before]


def _scalars(text: str) -> tuple[_Scalars, int]:
    """Find the scalars of a text as far as it is YAML, and where its first token begins."""
    import yaml

    scalars = _Scalars()
    content_start = len(text)
    try:
        for token in yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            start, end = token.start_mark.index, token.end_mark.index
            if end > start:
                content_start = min(content_start, start)
            if isinstance(token, yaml.ScalarToken) and token.style:
                # The line on which a block scalar begins may end with a comment of its own.
                is_block = token.style in ("|", ">")
                scalars.add(text.find("\n", start) if is_block and "\n" in text[start:end] else start, end)
    except yaml.YAMLError:
        # Told by the parser; what stands before the fault counts.
        pass
    return scalars, content_start
