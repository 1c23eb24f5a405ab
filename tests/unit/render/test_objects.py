"""Diagnostics as JSON: every field."""

from __future__ import annotations

import json

from doraflow.diagnostics import Diagnostic, Label, Severity, Span
from doraflow.render import render_json

FILE = "perception.yml"
FINDING = Diagnostic(
    "DF204",
    Severity.ERROR,
    "`camera` has no output `imgae`",
    Span(FILE, 6, 14, 6, 26),
    label="read by `detector`",
    related=(Label(Span(FILE, 2, 9, 2, 15), "declares `image`"),),
    notes=("a note",),
    help="to read the closest output, write `camera/image`",
    replacement="camera/image",
)


def test_json_has_every_field() -> None:
    assert json.loads(render_json([FINDING])) == {
        "diagnostics": [
            {
                "code": "DF204",
                "severity": "error",
                "message": "`camera` has no output `imgae`",
                "file": "perception.yml",
                "line": 6,
                "column": 14,
                "end_line": 6,
                "end_column": 26,
                "label": "read by `detector`",
                "notes": ["a note"],
                "help": "to read the closest output, write `camera/image`",
                "replacement": "camera/image",
                "related": [
                    {
                        "message": "declares `image`",
                        "file": "perception.yml",
                        "line": 2,
                        "column": 9,
                        "end_line": 2,
                        "end_column": 15,
                    }
                ],
            }
        ]
    }
