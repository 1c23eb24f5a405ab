"""Diagnostics as workflow commands, which GitHub Actions shows as annotations at the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow.diagnostics import Diagnostic, Span

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Write one workflow command a line, each with a line end."""
    return "".join(f"{_command(diagnostic)}\n" for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    properties = {**_place(diagnostic.span), "title": diagnostic.code}
    listed = ",".join(f"{name}={value.translate(_IN_PROPERTY)}" for name, value in properties.items())
    message = "\n".join((diagnostic.message, *_further(diagnostic)))
    return f"::{_COMMANDS[diagnostic.severity]} {listed}::{message.translate(_IN_DATA)}"


def _place(span: Span | None) -> dict[str, str]:
    """Give the properties of a place. GitHub takes columns only where a finding stands on one line."""
    if span is None:
        return {}
    if span.line != span.end_line:
        return {"file": span.file, "line": str(span.line), "endLine": str(span.end_line)}
    return {
        "file": span.file,
        "line": str(span.line),
        "col": str(span.column),
        "endLine": str(span.end_line),
        "endColumn": str(span.end_column),
    }


def _further(diagnostic: Diagnostic) -> list[str]:
    lines = [f"{label.span}: {label.text}" for label in diagnostic.related]
    lines += [f"note: {note}" for note in diagnostic.notes]
    return [*lines, f"hint: {diagnostic.help}"] if diagnostic.help else lines
