"""Graphs for the analysis tests: written by hand from short lines, and drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from doraflow.diagnostics import Span
from doraflow.ir import Edge, Graph, Input, Node, Output, PortReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hypothesis.strategies import SearchStrategy

SPAN = Span("flow.yml", 1, 1, 1, 2)
OUTPUT = "x"


def graph_of(names: Sequence[str], edges: Iterable[tuple[str, str]], blocking: frozenset[str] = frozenset()) -> Graph:
    """Make a graph in which every node has one output, and an input for each node it reads.

    The inputs of the nodes in `blocking` hold their senders back.
    """
    reads: dict[str, list[str]] = {name: [] for name in names}
    for producer, consumer in edges:
        reads[consumer].append(producer)
    nodes, made = [], []
    for row, name in enumerate(names, 1):
        inputs = []
        for column, producer in enumerate(reads[name], 1):
            span = Span("flow.yml", row, column, row, column + 1)
            policy = "backpressure" if name in blocking else "drop_oldest"
            port = Input(f"i{column}", PortReference(producer, OUTPUT), span, span, queue_policy=policy)
            inputs.append(port)
            made.append(Edge(producer, OUTPUT, name, port.id, span))
        nodes.append(Node(name, "python", SPAN, f"{name}.py", inputs=tuple(inputs), outputs=(Output(OUTPUT, SPAN),)))
    return Graph("flow", "flow.yml", tuple(nodes), tuple(made), file="flow.yml")


@st.composite
def graphs(draw: st.DrawFn, most: int = 8) -> Graph:
    """Draw a graph with any edges, loops and self reads among them."""
    names = draw(st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=most, unique=True))
    pairs: SearchStrategy[tuple[str, str]] = st.tuples(st.sampled_from(names), st.sampled_from(names))
    edges = draw(st.lists(pairs, max_size=3 * most))
    blocking = draw(st.frozensets(st.sampled_from(names)))
    return graph_of(names, edges, blocking)
