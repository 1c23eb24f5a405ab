"""The graph as networkx sees it, and loops in an order that depends on nothing but the file.

networkx's strongly connected components and cycles come in an order that changes with the hash seed: `loops` and
`shortest_loop` are the only ways to look for loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import networkx

    from doraflow.ir import Edge, Graph


def digraph(graph: Graph, edges: Iterable[Edge] | None = None) -> networkx.DiGraph[str]:
    """Make the networkx graph of the nodes; parallel edges become one, whose `edges` attribute lists them.

    Only `edges` are drawn if they are given.
    """
    import networkx as nx

    drawn: networkx.DiGraph[str] = nx.DiGraph()
    drawn.add_nodes_from(node.id for node in graph.nodes)
    for edge in graph.edges if edges is None else edges:
        if drawn.has_edge(edge.producer, edge.consumer):
            drawn.edges[edge.producer, edge.consumer]["edges"].append(edge)
        else:
            drawn.add_edge(edge.producer, edge.consumer, edges=[edge])
    return drawn


def is_acyclic(graph: Graph) -> bool:
    """Tell whether the dataflow has no loop at all.

    Kahn's algorithm (1962), here so that the usual dataflow is checked without the cost of importing networkx.
    """
    waiting = {node.id: 0 for node in graph.nodes}
    readers: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        waiting[edge.consumer] += 1
        readers[edge.producer].append(edge.consumer)
    ready = [node for node, count in waiting.items() if count == 0]
    for node in ready:
        for reader in readers[node]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    return len(ready) == len(waiting)


def loops(graph: Graph, edges: Iterable[Edge] | None = None) -> tuple[tuple[str, ...], ...]:
    """List the groups of nodes that reach one another, members and groups in the order of the file.

    A node that only reads its own output is no group. Only `edges` are followed if they are given.
    """
    import networkx as nx

    place = {node.id: position for position, node in enumerate(graph.nodes)}
    groups = [
        tuple(sorted(members, key=place.__getitem__))
        for members in nx.strongly_connected_components(digraph(graph, edges))
        if len(members) > 1
    ]
    return tuple(sorted(groups, key=lambda members: place[members[0]]))


def shortest_loop(members: Sequence[str], edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Find a shortest way along `edges` from the first of `members` back to itself, through other members.

    Breadth first, so a large group costs no more than its edges; of equally short ways the one whose edges stand first
    in `edges` is taken. Empty if there is none.
    """
    inside = set(members)
    leaving: dict[str, list[Edge]] = {}
    for edge in edges:
        if edge.producer in inside and edge.consumer in inside and edge.producer != edge.consumer:
            leaving.setdefault(edge.producer, []).append(edge)
    start = members[0]
    came_by: dict[str, Edge] = {}
    queue = [start]
    for node in queue:
        for edge in leaving.get(node, ()):
            if edge.consumer == start:
                return (*_path(came_by, start, node), edge)
            if edge.consumer not in came_by:
                came_by[edge.consumer] = edge
                queue.append(edge.consumer)
    return ()


def _path(came_by: dict[str, Edge], start: str, end: str) -> tuple[Edge, ...]:
    path: list[Edge] = []
    while end != start:
        path.append(came_by[end])
        end = came_by[end].producer
    return tuple(reversed(path))
