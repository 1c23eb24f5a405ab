"""Outputs that nothing reads: often meant so, sometimes a forgotten input. A note, never more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


def check_unused(graph: Graph, sink: Sink) -> Graph:
    """Note the outputs without a reader; the graph is returned as it is."""
    if not graph.edges:
        return graph  # nothing is connected yet: every output would be noted
    read = {(edge.producer, edge.output) for edge in graph.edges}
    for node in graph.nodes:
        for output in node.outputs:
            if (node.id, output.id) not in read:
                sink.add(
                    Diagnostic(
                        "DF207",
                        Severity.NOTE,
                        f"nothing reads the output `{output.id}` of `{node.id}`",
                        output.span,
                    )
                )
    return graph
