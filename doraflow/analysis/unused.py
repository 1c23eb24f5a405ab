"""Outputs that nothing reads: often meant so, sometimes a forgotten input. A note, never more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.ports import written_id
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


def check_unused(graph: Graph, sink: Sink) -> Graph:
    """Note the outputs without a reader; the graph is returned as it is.

    None is noted where no input reads anything yet, where a reference failed that may have been meant for one, or where
    something of the dataflow could not be read.
    """
    if graph.incomplete or not graph.edges or _has_failed_references(graph):
        return graph
    read = {(edge.producer, edge.output) for edge in graph.edges}
    exported = graph.exports or frozenset()
    for node in graph.nodes:
        for output in node.outputs:
            if (node.id, output.id) not in read and f"{node.id}/{output.id}" not in exported:
                message = f"nothing reads the output `{written_id(node, output.id)}` of `{node.id}`"
                mend = "read it or remove it; if it is meant so, add the comment `# doraflow: ignore[DF207]`"
                sink.note("DF207", message, output.span, help=mend)
    return graph


def _has_failed_references(graph: Graph) -> bool:
    references = [port for node in graph.nodes for port in node.inputs if isinstance(port.source, PortReference)]
    return len(references) > len(graph.edges)
