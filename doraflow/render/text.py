"""Diagnostics as text for people, with the lines that they are about.

Text is made of styled pieces, so that it reads the same with and without colour; nothing here prints.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from doraflow.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doraflow.diagnostics import Diagnostic, Span

Piece = tuple[str, str]
"""Some text and its style, as rich names styles; the style may be empty."""

WIDEST = 110
_BEFORE = 40
_TAB = "    "
_MASK = "*"
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def text_pieces(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> list[Piece]:
    """Write all findings with their source lines, and a line that counts them."""
    pieces: list[Piece] = []
    lines = _SourceLines(texts, [found.conceal for found in diagnostics if found.conceal is not None])
    for diagnostic in diagnostics:
        pieces += _finding(diagnostic, lines)
        pieces.append(("\n", ""))
    summary = count_line(diagnostics)
    return [*pieces, (f"{summary}\n", "")] if summary else pieces


def render_text(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> str:
    """Write all findings without colour."""
    return "".join(text for text, _ in text_pieces(diagnostics, texts))


def count_line(diagnostics: Iterable[Diagnostic]) -> str:
    """Count the findings by severity, such as `2 errors, 1 warning`; empty without any."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in diagnostics:
        counts[diagnostic.severity] += 1
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count)


class _SourceLines:
    """Looks up source lines, without what is to be concealed; each text is split once."""

    def __init__(self, texts: Mapping[str, str], concealed: Sequence[Span]) -> None:
        self._texts = texts
        self._concealed = concealed
        self._split: dict[str, list[str]] = {}
        self._without_secrets: dict[tuple[str, int], str] = {}

    def line(self, span: Span) -> str | None:
        """Give the line that a span begins on; None if its text is not at hand."""
        if span.file not in self._texts:
            return None
        lines = self._split.get(span.file)
        if lines is None:
            lines = self._split[span.file] = self._texts[span.file].split("\n")
        if span.line > len(lines):
            return None
        place = (span.file, span.line)
        line = self._without_secrets.get(place)
        if line is None:
            line = self._without_secrets[place] = self._masked(span, lines[span.line - 1].rstrip("\r"))
        return line

    def _masked(self, span: Span, line: str) -> str:
        letters: list[str] | None = None
        for secret in self._concealed:
            if secret.file == span.file and secret.line <= span.line <= secret.end_line:
                start = secret.column - 1 if secret.line == span.line else 0
                end = min(secret.end_column - 1, len(line)) if secret.end_line == span.line else len(line)
                letters = list(line) if letters is None else letters
                letters[start:end] = _MASK * (end - start)
        return line if letters is None else "".join(letters)


def _finding(diagnostic: Diagnostic, lines: _SourceLines) -> Iterator[Piece]:
    style = _STYLES[diagnostic.severity]
    yield f"{diagnostic.severity}[{diagnostic.code}]", style
    yield f": {diagnostic.message}\n", "bold"
    spans = [span for span in (diagnostic.span, *(label.span for label in diagnostic.related)) if span is not None]
    gutter = max((len(str(span.line)) for span in spans), default=0)
    if diagnostic.span is not None:
        yield from _place(diagnostic.span, diagnostic.label, "-->", "^", style, gutter, lines)
    for label in diagnostic.related:
        yield from _place(label.span, label.text, ":::", "-", "blue", gutter, lines)
    for note in diagnostic.notes:
        yield f"{' ' * gutter} = note: ", "bold"
        yield f"{note}\n", ""
    if diagnostic.help:
        yield "\n", ""
        yield "hint", "bold green"
        yield f": {diagnostic.help}\n", ""


def _place(
    span: Span, label: str, arrow: str, mark: str, style: str, gutter: int, lines: _SourceLines
) -> Iterator[Piece]:
    yield f"{' ' * gutter}{arrow} ", "blue"
    yield f"{span}\n", ""
    line = lines.line(span)
    if line is None:
        if label:
            yield f"{' ' * gutter} = {label}\n", ""
        return
    shown, indent, width = _window(line, span)
    yield f"{' ' * gutter} |\n{span.line:>{gutter}} | ", "blue"
    yield f"{shown}\n", ""
    yield f"{' ' * gutter} | ", "blue"
    yield f"{' ' * indent}{mark * width}{f' {label}' if label else ''}\n", style
    yield f"{' ' * gutter} |\n", "blue"


def _window(line: str, span: Span) -> tuple[str, int, int]:
    """Cut a long line down to the part around the span; give it with the marks' indent and width on a screen."""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    left = max(0, start - _BEFORE) if len(line) > WIDEST else 0
    right = min(len(line), left + WIDEST)
    before, cut = ("…" if left else ""), ("…" if right < len(line) else "")
    marked = line[start : min(max(end, start + 1), right)]
    return (
        before + _printable(line[left:right]) + cut,
        _screen_width(before + line[left:start]),
        max(1, _screen_width(marked)),
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else _TAB if letter == "\t" else "�" for letter in text)


def _screen_width(text: str) -> int:
    return sum(map(_cells, text))


def _cells(letter: str) -> int:
    if letter == "\t":
        return len(_TAB)
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
