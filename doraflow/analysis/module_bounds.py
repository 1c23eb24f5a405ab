"""Nodes inside a module that read a node outside of it by name, and not through an input of the module.

dora leads such a reference to the outer node too. It works where the module stands now, and in no other dataflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.ports import written_id
from doraflow.diagnostics import Label
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Input, Node


def check_module_bounds(graph: Graph, sink: Sink) -> Graph:
    """Warn of each input inside a module that reads past it; the graph is returned as it is."""
    if not any(port.scope for node in graph.nodes for port in node.inputs):
        return graph
    nodes = {node.id: node for node in graph.nodes}
    connected = {(edge.consumer, edge.input) for edge in graph.edges}
    for node in graph.nodes:
        for port in node.inputs:
            if port.scope and isinstance(port.source, PortReference) and (node.id, port.id) in connected:
                outer = nodes[port.source.node]
                if not outer.id.startswith(port.scope):
                    _tell(node, port, outer, port.source, sink)
    return graph


def _tell(node: Node, port: Input, outer: Node, source: PortReference, sink: Sink) -> None:
    module, name = port.scope.removesuffix("."), written_id(node, port.id)
    sink.warning(
        "DF146",
        f"`{node.id}` reads `{source.node}/{source.port}` past the inputs of its module, so the module can stand in no "
        f"dataflow without a node `{outer.id}`",
        port.source_span,
        related=[Label(outer.span, f"`{outer.id}` stands outside of the module")],
        help=f"write `_mod/{name}` here, add `{name}` to the `inputs` of the module, and connect it at `{module}` with "
        f"`{name}: {source.node}/{source.port}`",
    )
