"""The benchmark's dataflows: they mean what the benchmark says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.dataflows import KINDS
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from pathlib import Path

CODES = {"flat": set(), "modules": set(), "types": set(), "findings": {"DF207", "DF302"}, "wrong": {"DF203"}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataflow_has_the_nodes_and_findings_that_it_is_for(kind: str, tmp_path: Path) -> None:
    made = check(KINDS[kind](tmp_path, 200), Options(check_sources=False))
    assert made.graph is not None
    assert len(made.graph.nodes) == 200 + (kind == "modules")
    assert {finding.code for finding in made.diagnostics()} == CODES[kind]
