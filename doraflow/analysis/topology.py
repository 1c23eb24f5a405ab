"""The graph as networkx sees it, and loops in an order that depends on nothing but the file.

networkx's strongly connected components and cycles come in an order that changes with the hash seed: `loops` and
`shortest_loop` are the only ways to look for loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.ports import written_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx

    from doraflow.ir import Edge, Graph, Node


@dataclass(frozen=True, slots=True)
class Arc:
    """An edge between two vertices; `text` is its output as one would write it, `node/output`."""

    start: str
    end: str
    text: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class Topology:
    """Vertices in the order of the file, and the arcs between them in the order of their inputs."""

    vertices: tuple[str, ...]
    arcs: tuple[Arc, ...]


def by_process(graph: Graph) -> Topology:
    """Take each node as a vertex; what its operators send one another stays inside it."""
    nodes = {node.id: node for node in graph.nodes}
    arcs = tuple(
        Arc(edge.producer, edge.consumer, _text(nodes, edge), edge)
        for edge in graph.edges
        if edge.producer != edge.consumer
    )
    return Topology(tuple(nodes), arcs)


def by_operator(graph: Graph) -> Topology:
    """Take each node as a vertex, and where a node has several operators each of them."""
    nodes = {node.id: node for node in graph.nodes}
    vertices = (vertex for node in graph.nodes for vertex in _vertices(node))
    arcs = (
        Arc(
            vertex_of(nodes[edge.producer], edge.output),
            vertex_of(nodes[edge.consumer], edge.input),
            _text(nodes, edge),
            edge,
        )
        for edge in graph.edges
    )
    return Topology(tuple(vertices), tuple(arcs))


def vertex_of(node: Node, port: str) -> str:
    """Name the vertex of `by_operator` that has a port: `node`, or `node/operator`."""
    return f"{node.id}/{port.partition('/')[0]}" if _is_divided(node) else node.id


def _vertices(node: Node) -> tuple[str, ...]:
    return tuple(f"{node.id}/{operator.id}" for operator in node.operators) if _is_divided(node) else (node.id,)


def _is_divided(node: Node) -> bool:
    return bool(node.operators) and any(not operator.sole for operator in node.operators)


def _text(nodes: dict[str, Node], edge: Edge) -> str:
    return f"{edge.producer}/{written_id(nodes[edge.producer], edge.output)}"


def digraph(topology: Topology) -> networkx.DiGraph[str]:
    """Make the networkx graph; parallel arcs become one edge, whose attribute `arcs` lists them."""
    import networkx as nx

    drawn: networkx.DiGraph[str] = nx.DiGraph()
    drawn.add_nodes_from(topology.vertices)
    for arc in topology.arcs:
        if not drawn.has_edge(arc.start, arc.end):
            drawn.add_edge(arc.start, arc.end, arcs=[])
        drawn.edges[arc.start, arc.end]["arcs"].append(arc)
    return drawn


def is_acyclic(topology: Topology) -> bool:
    """Tell whether there is no loop at all.

    Kahn's algorithm (1962), here so that the usual dataflow is checked without the cost of importing networkx.
    """
    waiting = dict.fromkeys(topology.vertices, 0)
    readers: dict[str, list[str]] = {vertex: [] for vertex in topology.vertices}
    for arc in topology.arcs:
        waiting[arc.end] += 1
        readers[arc.start].append(arc.end)
    ready = [vertex for vertex, count in waiting.items() if count == 0]
    for vertex in ready:
        for reader in readers[vertex]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    return len(ready) == len(waiting)


def loops(topology: Topology) -> tuple[tuple[str, ...], ...]:
    """List the groups of vertices that reach one another, members and groups in the order of the file.

    A vertex that only reaches itself is no group.
    """
    if is_acyclic(topology):
        return ()
    import networkx as nx

    place = {vertex: position for position, vertex in enumerate(topology.vertices)}
    groups = [
        tuple(sorted(members, key=place.__getitem__))
        for members in nx.strongly_connected_components(digraph(topology))
        if len(members) > 1
    ]
    return tuple(sorted(groups, key=lambda members: place[members[0]]))


def arcs_inside(groups: Sequence[Sequence[str]], arcs: Sequence[Arc]) -> tuple[tuple[Arc, ...], ...]:
    """List for each group the arcs between its members, in their order; no vertex is in two groups."""
    group_of = {vertex: number for number, members in enumerate(groups) for vertex in members}
    inside: list[list[Arc]] = [[] for _ in groups]
    for arc in arcs:
        number = group_of.get(arc.start)
        if number is not None and group_of.get(arc.end) == number:
            inside[number].append(arc)
    return tuple(map(tuple, inside))


def shortest_loop(members: Sequence[str], arcs: Sequence[Arc]) -> tuple[Arc, ...]:
    """Find a shortest way along `arcs` from the first of `members` back to itself, through other members.

    Breadth first, so a large group costs no more than its arcs; of equally short ways the one whose arcs stand first
    is taken. Empty if there is none.
    """
    inside = set(members)
    leaving: dict[str, list[Arc]] = {}
    for arc in arcs:
        if arc.start in inside and arc.end in inside and arc.start != arc.end:
            leaving.setdefault(arc.start, []).append(arc)
    start = members[0]
    came_by: dict[str, Arc] = {}
    queue = [start]
    for vertex in queue:
        for arc in leaving.get(vertex, ()):
            if arc.end == start:
                return (*_path(came_by, start, vertex), arc)
            if arc.end not in came_by:
                came_by[arc.end] = arc
                queue.append(arc.end)
    return ()


def _path(came_by: dict[str, Arc], start: str, end: str) -> tuple[Arc, ...]:
    path: list[Arc] = []
    while end != start:
        path.append(came_by[end])
        end = came_by[end].start
    return tuple(reversed(path))
