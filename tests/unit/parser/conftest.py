"""Fixtures of the parser's tests: findings as short lines of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Diagnostic, Sink
from doraflow.parser.compose import compose
from doraflow.parser.document import Document
from doraflow.parser.load import load

if TYPE_CHECKING:
    from pathlib import Path

Findings = Callable[[str], list[str]]
Loaded = tuple[Document | None, tuple[Diagnostic, ...]]
Project = Callable[[dict[str, str]], Loaded]


def told(diagnostic: Diagnostic) -> str:
    """Write a finding as `CODE line:column-end_column message`, with the end's line where it is another one."""
    span = diagnostic.span
    if span is None:
        return f"{diagnostic.code} {diagnostic.message}"
    end = str(span.end_column) if span.end_line == span.line else f"{span.end_line}:{span.end_column}"
    return f"{diagnostic.code} {span.line}:{span.column}-{end} {diagnostic.message}"


@pytest.fixture
def composed() -> Findings:
    """Compose a text and give what was found."""

    def run(text: str) -> list[str]:
        sink = Sink()
        compose(text, "dataflow.yml", sink)
        return [told(diagnostic) for diagnostic in sink.diagnostics()]

    return run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write files (path to text) and load the first one."""

    def load_files(files: dict[str, str]) -> Loaded:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sink = Sink()
        document = load(tmp_path / next(iter(files)), sink)
        return document, sink.diagnostics()

    return load_files


@pytest.fixture
def found(project: Project) -> Findings:
    """Load a dataflow of one file and give what was found."""

    def run(text: str) -> list[str]:
        return [told(diagnostic) for diagnostic in project({"dataflow.yml": text})[1]]

    return run
