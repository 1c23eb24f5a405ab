"""What holds for any dataflow, valid or with one mutation."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from doraflow.codegen.resolved import resolved_text
from doraflow.diagnostics import Diagnostic, Severity, Sink
from doraflow.ir import Graph, serialize
from doraflow.migrate.migration import migrate
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, SequenceNode
from doraflow.pipeline import Options, check
from fuzz.target import try_bytes
from tests.strategies.dataflows import MODULE_FILE, MODULE_TEXT, Map, Misspelt, misspelt_flows, valid_flows, written
from tests.strategies.mutations import mutated_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
bounded = settings(max_examples=60, deadline=None, suppress_health_check=SLOW)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the module file; module-wide, since each example writes its own dataflow into it."""
    path = Path(tempfile.mkdtemp(prefix="doraflow-any-"))
    (path / MODULE_FILE).write_text(MODULE_TEXT)
    yield path
    shutil.rmtree(path)


def checked(folder: Path, text: str) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
    (folder / "flow.yml").write_text(text, encoding="utf-8")
    made = check(folder / "flow.yml", Options(check_sources=False))
    return made.graph, made.diagnostics()


def told(findings: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{found.severity} {found.code} {found.span}: {found.message}" for found in findings]


def errors(findings: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [found for found in findings if found.severity is Severity.ERROR]


@bounded
@given(flow=valid_flows())
def test_a_valid_dataflow_has_no_error(folder: Path, flow: Map) -> None:
    graph, findings = checked(folder, written(flow))
    assert graph is not None
    assert [line for line in told(findings) if line.startswith("error")] == []


@bounded
@given(flow=valid_flows())
def test_an_expanded_dataflow_is_free_of_errors_and_has_the_same_graph(folder: Path, flow: Map) -> None:
    graph, _ = checked(folder, written(flow))
    assert graph is not None
    text = resolved_text(graph)
    again, findings = checked(folder, text)
    assert again is not None, told(findings)
    assert errors(findings) == [], told(findings)
    assert serialize(again) == serialize(graph)
    assert resolved_text(again) == text


@bounded
@given(flow=valid_flows())
def test_a_modern_dataflow_is_left_as_it_is(folder: Path, flow: Map) -> None:
    text = written(flow)
    made = migrate(text, "flow.yml", Sink())
    assert made is not None
    assert (made.text, made.constructs) == (text, ())


@settings(bounded, max_examples=120)
@given(text=mutated_texts())
def test_a_mutated_dataflow_is_told_of_and_never_raises(folder: Path, text: str) -> None:
    findings = try_bytes(text.encode("utf-8"), folder)
    places = [(found.span.file, found.span.line, found.span.column) for found in findings if found.span is not None]
    assert places == sorted(places)
    assert all(found.span is not None for found in findings)
    assert all(found.help for found in errors(findings)), told(findings)


@settings(bounded, max_examples=30)
@given(text=mutated_texts())
def test_two_checks_of_one_text_find_the_same(folder: Path, text: str) -> None:
    assert checked(folder, text)[1] == checked(folder, text)[1]


@bounded
@given(flow=misspelt_flows())
def test_a_misspelt_reference_is_one_error_at_its_place(folder: Path, flow: Misspelt) -> None:
    _, findings = checked(folder, flow.text)
    (error,) = errors(findings)
    assert error.code in ("DF203", "DF204"), told(findings)
    assert error.span is not None
    place = source_of(flow)
    assert (error.span.line, error.span.column) == place
    assert Path(error.span.file).name == "flow.yml"


def source_of(flow: Misspelt) -> tuple[int, int]:
    tree = compose(flow.text, "flow.yml", Sink())
    assert tree is not None
    nodes = tree.get("nodes")
    assert isinstance(nodes, SequenceNode)
    node = nodes.items[flow.node]
    assert isinstance(node, MappingNode)
    inputs = node.get("inputs")
    assert isinstance(inputs, MappingNode)
    value = inputs.get(flow.port)
    source = value.get("source") if isinstance(value, MappingNode) else value
    assert source is not None
    return source.span.line, source.span.column
