"""Fixtures of the analysis tests: a dataflow's text to its graph and findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.graph import build_graph
from doraflow.analysis.passes import analyse
from doraflow.analysis.user_types import read_library
from doraflow.diagnostics import Diagnostic, Sink
from doraflow.parser.load import load

if TYPE_CHECKING:
    from doraflow.ir import Graph


@dataclass(frozen=True)
class Checked:
    """A dataflow after all passes. `told` are the findings as `severity CODE line:column message`, notes left out."""

    graph: Graph
    findings: tuple[Diagnostic, ...]

    @property
    def told(self) -> list[str]:
        return [told(finding) for finding in self.findings if finding.severity != "note"]

    def only(self, code: str) -> Diagnostic:
        (finding,) = [finding for finding in self.findings if finding.code == code]
        return finding


def told(finding: Diagnostic) -> str:
    place = "" if finding.span is None else f" {finding.span.line}:{finding.span.column}"
    return f"{finding.severity} {finding.code}{place} {finding.message}"


Check = Callable[..., Checked]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check a dataflow given as text; `files` (path to text) lie beside it, `inventory` is the name of one of them."""

    def run(
        text: str, files: dict[str, str] | None = None, *, strict: bool = False, inventory: str | None = None
    ) -> Checked:
        monkeypatch.chdir(tmp_path)
        for name, content in {"flow.yml": text, **(files or {})}.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        sink = Sink(strict=strict)
        document = load(Path("flow.yml"), sink, Path(inventory) if inventory else None)
        assert document is not None, [told(finding) for finding in sink.diagnostics()]
        graph = build_graph(document, sink)
        assert graph is not None
        graph = analyse(graph, read_library(document.type_files, sink), sink)
        return Checked(graph, sink.diagnostics())

    return run
