"""A graph as the object that `doraflow graph --output json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.ir import LogSubscription, Timer
from doraflow.printed.objects import VERSION, DrawnEdge, DrawnGraph, DrawnNode

if TYPE_CHECKING:
    from doraflow.ir import Graph


def drawn(graph: Graph) -> DrawnGraph:
    """Put nodes and edges into lists, in the order of the dataflow; what no node sends comes first."""
    nodes = [
        DrawnNode(node.id, node.host, [port.id for port in node.inputs], [port.id for port in node.outputs])
        for node in graph.nodes
    ]
    feeds = [
        DrawnEdge(str(port.source), "", node.id, port.id, port.type_name)
        for node in graph.nodes
        for port in node.inputs
        if isinstance(port.source, Timer | LogSubscription)
    ]
    types = {(node.id, port.id): port.type_name for node in graph.nodes for port in node.outputs}
    edges = [
        DrawnEdge(edge.producer, edge.output, edge.consumer, edge.input, types.get((edge.producer, edge.output)))
        for edge in graph.edges
    ]
    return DrawnGraph(VERSION, graph.name, nodes, [*feeds, *edges])
