"""What can begin by itself, and what that reaches: the question behind every finding about standstill.

A node may always send without having received, so nothing here is certain; it tells where the file gives a reason to
begin. What follows from it is judged by the passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.topology import loops, vertex_of
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from doraflow.analysis.topology import Topology
    from doraflow.ir import Graph, Node, Operator

CLIENTS = ("service-client", "action-client")
SERVERS = ("service-server", "action-server")


def fed_vertices(graph: Graph, topology: Topology) -> frozenset[str]:
    """Collect what a timer, a log subscription, or a vertex that begins by itself can reach.

    A vertex with an input whose reference failed counts as fed: the failed reference is told already.
    """
    fed = [*_without_inputs(graph, topology), *_begun_from_outside(graph, topology), *_self_starting(graph)]
    readers: dict[str, list[str]] = {}
    for arc in topology.arcs:
        readers.setdefault(arc.start, []).append(arc.end)
    seen = set(fed)
    for vertex in fed:
        for reader in readers.get(vertex, ()):
            if reader not in seen:
                seen.add(reader)
                fed.append(reader)
    return frozenset(seen)


def idle_loops(topology: Topology, fed: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Give the loops that nothing starts, in the order of the file, but none that another one of them would start."""
    groups = loops(topology)
    group_of = {vertex: number for number, members in enumerate(groups) for vertex in members}
    entered = {group_of.get(arc.end) for arc in topology.arcs if group_of.get(arc.start) != group_of.get(arc.end)}
    for number, members in enumerate(groups):
        if number not in entered and members[0] not in fed:
            yield members


def vertices_with_pattern(graph: Graph, patterns: Collection[str]) -> frozenset[str]:
    """Collect the vertices that follow one of some communication patterns."""
    return frozenset(
        name for node in graph.nodes for name, holder in _holders(node) if holder.settings.get("pattern") in patterns
    )


def _holders(node: Node) -> Iterator[tuple[str, Node | Operator]]:
    yield node.id, node
    for operator in node.operators:
        yield (node.id if operator.sole else f"{node.id}/{operator.id}"), operator


def _without_inputs(graph: Graph, topology: Topology) -> list[str]:
    reading = {vertex_of(node, port.id) for node in graph.nodes for port in node.inputs}
    return [vertex for vertex in topology.vertices if vertex not in reading]


def _begun_from_outside(graph: Graph, topology: Topology) -> list[str]:
    known = {(arc.edge.consumer, arc.edge.input) for arc in topology.arcs}
    return [
        vertex_of(node, port.id)
        for node in graph.nodes
        for port in node.inputs
        if not isinstance(port.source, PortReference) or (node.id, port.id) not in known
    ]


def _self_starting(graph: Graph) -> list[str]:
    """List the clients, which ask before they are answered, and the nodes that the world outside drives."""
    return [
        name
        for node in graph.nodes
        for name, holder in _holders(node)
        if holder.settings.get("pattern") in CLIENTS or (holder is node and _is_driven(node))
    ]


def _is_driven(node: Node) -> bool:
    """Tell whether somebody else gives a node its messages: the person who starts it, or ROS.

    A bridge that is a client of ROS waits for a request of the dataflow; every other one also sends what ROS sends.
    """
    bridge = node.settings.get("ros2")
    return node.kind == "dynamic" or (isinstance(bridge, dict) and bridge.get("role") != "client")
