"""Diagnostics as SARIF 2.1.0, the exchange format of analysis tools.

Places are artifacts' URIs relative to a folder that the caller names, so that no machine's path gets into a log; only a
file outside it that was named by its absolute path keeps that. Columns count in characters, which `columnKind` says.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from doraflow import __version__
from doraflow.codes import CODES
from doraflow.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Diagnostic, Span
    from doraflow.policy.apply import Ignored

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool"

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")
_BRACES = str.maketrans({"{": "{{", "}": "}}"})


def render_sarif(diagnostics: Sequence[Diagnostic], ignored: Sequence[Ignored] = (), *, folder: Path) -> str:
    """Write a log of one run; what comments ignore is in it as suppressed. URIs are relative to `folder`."""
    log = _Log(folder)
    results: list[Json] = [log.result(diagnostic) for diagnostic in diagnostics]
    results += [log.suppressed(item) for item in ignored]
    run: Json = {
        "tool": {
            "driver": {
                "name": "doraflow",
                "semanticVersion": __version__,
                "version": __version__,
                "rules": [_rule(code) for code in log.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri}, "encoding": "utf-8"} for uri in log.artifacts],
        "invocations": [{"executionSuccessful": True}],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=2)


class _Log:
    """Builds results, and collects the rules and artifacts that they refer to by index."""

    def __init__(self, folder: Path) -> None:
        self.rules: dict[str, int] = {}
        self.artifacts: dict[str, int] = {}
        self._folder = folder

    def result(self, diagnostic: Diagnostic) -> dict[str, Json]:
        """Build the result of a finding."""
        built: dict[str, Json] = {
            "ruleId": diagnostic.code,
            "ruleIndex": self.rules.setdefault(diagnostic.code, len(self.rules)),
            "level": _LEVELS[diagnostic.severity],
            "message": {"text": _message(_whole_message(diagnostic))},
        }
        if diagnostic.span is not None:
            location: dict[str, Json] = {"physicalLocation": self._place(diagnostic.span)}
            if diagnostic.label:
                location["message"] = {"text": _message(diagnostic.label)}
            built["locations"] = [location]
            if diagnostic.replacement is not None:
                built["fixes"] = [self._fix(diagnostic, diagnostic.span, diagnostic.replacement)]
        if diagnostic.related:
            built["relatedLocations"] = [
                {"id": number, "physicalLocation": self._place(label.span), "message": {"text": _message(label.text)}}
                for number, label in enumerate(diagnostic.related)
            ]
        return built

    def suppressed(self, item: Ignored) -> dict[str, Json]:
        """Build the result of a finding that is ignored."""
        suppression: Json = {"kind": "inSource", "location": {"physicalLocation": self._place(item.comment)}}
        return {**self.result(item.diagnostic), "suppressions": [suppression]}

    def _place(self, span: Span) -> dict[str, Json]:
        return {"artifactLocation": self._artifact(span), "region": _region(span)}

    def _artifact(self, span: Span) -> dict[str, Json]:
        uri = artifact_uri(span.file, self._folder)
        return {"uri": uri, "index": self.artifacts.setdefault(uri, len(self.artifacts))}

    def _fix(self, diagnostic: Diagnostic, span: Span, replacement: str) -> dict[str, Json]:
        edit: Json = {"deletedRegion": _region(span), "insertedContent": {"text": replacement}}
        return {
            "description": {"text": _message(diagnostic.help or f"write `{replacement}`")},
            "artifactChanges": [{"artifactLocation": self._artifact(span), "replacements": [edit]}],
        }


def artifact_uri(file: str, folder: Path) -> str:
    """Give the URI of a file, percent-encoded: relative to `folder` where it lies inside or was named relatively.

    >>> artifact_uri("nodes/my flow.yml", Path("/work")), artifact_uri("/work/a#1.yml", Path("/work"))
    ('nodes/my%20flow.yml', 'a%231.yml')
    >>> artifact_uri("/elsewhere/flow.yml", Path("/work"))
    'file:///elsewhere/flow.yml'
    """
    path = PurePosixPath(os.path.normpath(folder / file))
    if path.is_relative_to(folder):
        return quote(os.fsencode(path.relative_to(folder)))
    return path.as_uri() if file.startswith("/") else quote(os.fsencode(os.path.normpath(file)))


def _region(span: Span) -> dict[str, Json]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _rule(code: str) -> dict[str, Json]:
    from doraflow.explanations.pages import page

    rule: dict[str, Json] = {"id": code, "shortDescription": {"text": CODES[code]}}
    explained = page(code)
    if explained is not None:
        rule["fullDescription"] = {"text": explained.summary}
        rule["help"] = {"text": explained.body, "markdown": explained.body}
        # SARIF wants an absolute `helpUri`; the page's place in the documentation is relative.
        rule["properties"] = {"page": f"docs/diagnostics/{code}.md"}
    return rule


def _whole_message(diagnostic: Diagnostic) -> str:
    """Say all in one text: viewers show little else."""
    lines = [diagnostic.message, *(f"note: {note}" for note in diagnostic.notes)]
    return "\n\n".join([*lines, f"hint: {diagnostic.help}"] if diagnostic.help else lines)


def _message(text: str) -> str:
    """Escape what SARIF reads as a placeholder or a link."""
    return _LINK.sub(r"\\[", text).translate(_BRACES)
