"""Diagnostics as text for people and as JSON for tools.

Text is made of styled pieces, so that it reads the same with and without colour; nothing here prints.
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

from doraflow.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doraflow.diagnostics import Diagnostic, Label, Span

Piece = tuple[str, str]
"""Some text and its style, as rich names styles; the style may be empty."""

WIDEST = 110
_BEFORE = 40
_TAB = "    "
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def text_pieces(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> list[Piece]:
    """Write all findings with their source lines, and a line that counts them."""
    pieces: list[Piece] = []
    for diagnostic in diagnostics:
        pieces += _finding(diagnostic, texts)
        pieces.append(("\n", ""))
    summary = count_line(diagnostics)
    return [*pieces, (f"{summary}\n", "")] if summary else pieces


def render_text(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> str:
    """Write all findings without colour."""
    return "".join(text for text, _ in text_pieces(diagnostics, texts))


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Write all findings as one JSON object with the key `diagnostics`."""
    return json.dumps({"diagnostics": [_object(diagnostic) for diagnostic in diagnostics]}, ensure_ascii=False)


def count_line(diagnostics: Iterable[Diagnostic]) -> str:
    """Count the findings by severity, such as `2 errors, 1 warning`; empty without any."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in diagnostics:
        counts[diagnostic.severity] += 1
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count)


def _finding(diagnostic: Diagnostic, texts: Mapping[str, str]) -> Iterator[Piece]:
    style = _STYLES[diagnostic.severity]
    yield f"{diagnostic.severity}[{diagnostic.code}]", style
    yield f": {diagnostic.message}\n", "bold"
    spans = [span for span in (diagnostic.span, *(label.span for label in diagnostic.related)) if span is not None]
    gutter = max((len(str(span.line)) for span in spans), default=0)
    if diagnostic.span is not None:
        yield from _place(diagnostic.span, diagnostic.label, "-->", "^", style, gutter, texts)
    for label in diagnostic.related:
        yield from _place(label.span, label.text, ":::", "-", "blue", gutter, texts)
    for note in diagnostic.notes:
        yield f"{' ' * gutter} = note: ", "bold"
        yield f"{note}\n", ""
    if diagnostic.help:
        yield "\n", ""
        yield "hint", "bold green"
        yield f": {diagnostic.help}\n", ""


def _place(
    span: Span, label: str, arrow: str, mark: str, style: str, gutter: int, texts: Mapping[str, str]
) -> Iterator[Piece]:
    yield f"{' ' * gutter}{arrow} ", "blue"
    yield f"{span}\n", ""
    line = _source_line(span, texts)
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


def _source_line(span: Span, texts: Mapping[str, str]) -> str | None:
    text = texts.get(span.file)
    if text is None:
        return None
    lines = text.split("\n", span.line)
    return lines[span.line - 1].rstrip("\r") if span.line <= len(lines) else None


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


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        **_position(diagnostic.span),
        "label": diagnostic.label or None,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "related": [_related(label) for label in diagnostic.related],
    }


def _related(label: Label) -> dict[str, object]:
    return {"message": label.text, **_position(label.span)}


def _position(span: Span | None) -> dict[str, object]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
