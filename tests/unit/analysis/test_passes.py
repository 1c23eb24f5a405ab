from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from doraflow.analysis.passes import analyse
from doraflow.analysis.shared_text import told_once
from doraflow.analysis.type_library import standard_library
from doraflow.diagnostics import Sink, Span
from tests.unit.analysis.graphs import graphs

if TYPE_CHECKING:
    from doraflow.ir import Graph
    from tests.unit.analysis.conftest import Check

PLACE = Span("flow.yml", 3, 1, 3, 4)


def test_one_run_tells_what_every_pass_finds(check: Check) -> None:
    checked = check(
        """\
hosts: {robot: {}}
debug: {enable_debug_inspection: true}
nodes:
  - id: a
    path: a.py
    args: --x $HOME
    outputs: [x, y, x]
    output_types: {x: std/media/v1/Image, z: std/core/v1/Int8}
    inputs: {loop: {source: b/x, queue_policy: backpressure}, wrong: c/x}
    deploy: {distribute: scp}
  - id: b
    path: dynamic
    outputs: [x]
    inputs: {loop: {source: a/x, queue_policy: backpressure}, self: b/x}
    input_types: {loop: std/core/v1/String}
    deploy: {machine: robo}
"""
    )
    assert [line.split()[1] for line in checked.told] == [
        *("DF901", "DF603", "DF202", "DF206", "DF402", "DF203", "DF403", "DF302", "DF501")
    ]


def test_of_several_findings_at_one_place_with_one_code_the_first_is_kept() -> None:
    sink = Sink()
    with told_once(sink) as found:
        found.error("DF203", "first", PLACE)
        found.error("DF203", "second", PLACE)
        found.error("DF204", "another code", PLACE)
        found.error("DF203", "no place")
        found.error("DF203", "no place either")
    assert [finding.message for finding in sink.found] == ["first", "another code", "no place", "no place either"]


def test_strictness_is_passed_on() -> None:
    sink = Sink(strict=True)
    with told_once(sink) as found:
        found.warning("DF401", "a warning", PLACE)
    assert sink.has_errors


@given(graphs())
def test_any_graph_is_analysed_and_keeps_its_nodes_and_edges(graph: Graph) -> None:
    analysed = analyse(graph, standard_library(), Sink())
    assert [node.id for node in analysed.nodes] == [node.id for node in graph.nodes]
    assert analysed.edges == graph.edges
