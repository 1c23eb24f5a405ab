from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.cycles import check_cycles
from doraflow.analysis.topology import by_operator, by_process, digraph, is_acyclic, loops, shortest_loop
from doraflow.diagnostics import Sink
from tests.unit.analysis.graphs import graph_of, graphs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.ir import Graph

ROOT = Path(__file__).resolve().parents[3]


def report(graph: Graph) -> list[str]:
    sink = Sink()
    check_cycles(graph, sink)
    return [f"{finding.code} {finding.span} {finding.message}" for finding in sink.diagnostics()]


def test_parallel_edges_are_one_in_networkx_and_keep_their_arcs() -> None:
    drawn = digraph(by_process(graph_of("ab", [("a", "b"), ("a", "b")])))
    assert list(drawn.nodes) == ["a", "b"]
    assert [arc.text for arc in drawn.edges["a", "b"]["arcs"]] == ["a/x", "a/x"]


@given(graphs())
def test_acyclic_means_what_networkx_means_by_it(graph: Graph) -> None:
    topology = by_operator(graph)
    assert is_acyclic(topology) == nx.is_directed_acyclic_graph(digraph(topology))


@given(graphs())
def test_loops_are_the_strongly_connected_groups_in_the_order_of_the_file(graph: Graph) -> None:
    topology = by_operator(graph)
    found = loops(topology)
    expected = [frozenset(group) for group in nx.strongly_connected_components(digraph(topology)) if len(group) > 1]
    assert {frozenset(group) for group in found} == set(expected)
    order = [topology.vertices.index(vertex) for group in found for vertex in group]
    assert all(list(group) == sorted(group, key=topology.vertices.index) for group in found)
    assert [order.index(topology.vertices.index(group[0])) for group in found] == sorted(
        order.index(topology.vertices.index(group[0])) for group in found
    )


@given(graphs())
def test_the_loop_that_is_drawn_is_a_shortest_one_through_the_first_member(graph: Graph) -> None:
    topology = by_operator(graph)
    for members in loops(topology):
        path = shortest_loop(members, topology.arcs)
        assert [arc.start for arc in path] == [members[0], *(arc.end for arc in path[:-1])]
        assert path[-1].end == members[0]
        lengths = nx.single_source_shortest_path_length(digraph(topology), members[0])
        back = [arc.start for arc in topology.arcs if arc.end == members[0] and arc.start in members[1:]]
        assert len(path) == 1 + min(lengths[vertex] for vertex in back)


def ring(names: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(names, [*names[1:], names[0]], strict=True))


@given(st.permutations("abcdefg"), st.integers(2, 5), st.data())
def test_the_order_of_the_nodes_only_rotates_a_loop(names: list[str], size: int, data: st.DataObject) -> None:
    edges = ring(names[:size])
    edges += [(names[0], outside) for outside in names[size:]]
    drawn = []
    for order in (names, data.draw(st.permutations(names))):
        sink = Sink()
        check_cycles(graph_of(order, edges), sink)
        (finding,) = sink.found
        loop = finding.message.rpartition(" as in ")[2].split(" -> ")[:-1]
        assert loop[0] == next(name for name in order if name in loop)
        drawn.append(loop)
    first, second = drawn
    turn = first.index(second[0])
    assert first[turn:] + first[:turn] == second


SCRIPT = """
import random
from tests.unit.analysis.graphs import graph_of
from tests.unit.analysis.test_topology import report

chance = random.Random(7)
names = [f"node{number}" for number in range(40)]
for size in (30, 60, 90):
    edges = [(chance.choice(names), chance.choice(names)) for _ in range(size)]
    print(*report(graph_of(names, edges, frozenset(names[::2]))), sep="\\n")
"""


@pytest.fixture(scope="module")
def reports() -> list[str]:
    """What is found in some random graphs, under three hash seeds."""
    outputs = []
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
        )
        outputs.append(run.stdout)
    return outputs


def test_the_report_does_not_change_with_the_hash_seed(reports: list[str]) -> None:
    assert reports[0].count("DF40") > 5
    assert len(set(reports)) == 1
