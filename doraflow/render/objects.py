"""Diagnostics as one plain JSON object, for tools that know doraflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow.diagnostics import Diagnostic, Label, Span


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Write all findings as one JSON object with the key `diagnostics`."""
    return json.dumps({"diagnostics": [_object(diagnostic) for diagnostic in diagnostics]})


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        **_position(diagnostic.span),
        "label": diagnostic.label or None,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "replacement": diagnostic.replacement,
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
