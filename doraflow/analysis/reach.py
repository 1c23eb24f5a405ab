"""Nodes that can never receive anything, because what they read waits for good itself.

The loop that nothing starts is the cause and is told by `doraflow.analysis.cycles`; here stands what else it stops, as
one note for each such loop.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from doraflow.analysis.cycles import drawn
from doraflow.analysis.feeding import fed_vertices, idle_loops
from doraflow.analysis.topology import arcs_inside, by_operator, shortest_loop
from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from doraflow.analysis.topology import Arc, Topology
    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph

_MOST_NAMES = 8


def check_reach(graph: Graph, sink: Sink) -> Graph:
    """Note the nodes behind a loop that nothing starts; the graph is returned as it is.

    Where the whole dataflow has no source, one finding says so already.
    """
    if graph.incomplete:
        return graph
    topology = by_operator(graph)
    fed = fed_vertices(graph, topology)
    if not fed or len(fed) == len(topology.vertices):
        return graph
    spans = _spans(graph)
    causes = [*idle_loops(topology, fed), *((vertex,) for vertex in _lone(topology, fed))]
    inside = arcs_inside(causes, topology.arcs)
    for members, arcs, stopped in zip(causes, inside, _behind(causes, fed, topology), strict=True):
        if stopped:
            _tell(members, shortest_loop(members, arcs), stopped, spans, sink)
    return graph


def _spans(graph: Graph) -> dict[str, Span]:
    inner = {f"{node.id}/{operator.id}": operator.span for node in graph.nodes for operator in node.operators}
    return {**inner, **{node.id: node.span for node in graph.nodes}}


def _lone(topology: Topology, fed: Collection[str]) -> list[str]:
    """List the vertices that read themselves and nothing else."""
    reading_others = {arc.end for arc in topology.arcs if arc.start != arc.end}
    own = {arc.end for arc in topology.arcs if arc.start == arc.end}
    return [vertex for vertex in topology.vertices if vertex in own - reading_others and vertex not in fed]


def _behind(causes: Sequence[Sequence[str]], fed: Collection[str], topology: Topology) -> list[list[str]]:
    """List for each cause the vertices that it alone reaches, or it first, nearest first."""
    readers: dict[str, list[str]] = {}
    for arc in topology.arcs:
        readers.setdefault(arc.start, []).append(arc.end)
    seen = {*fed, *(vertex for members in causes for vertex in members)}
    found: list[list[str]] = []
    for members in causes:
        reached: list[str] = []
        waiting = deque(members)
        while waiting:
            for reader in readers.get(waiting.popleft(), ()):
                if reader not in seen:
                    seen.add(reader)
                    reached.append(reader)
                    waiting.append(reader)
        found.append(reached)
    return found


def _tell(
    members: Sequence[str], loop: Sequence[Arc], stopped: Sequence[str], spans: Mapping[str, Span], sink: Sink
) -> None:
    first, *others = stopped
    names = ", ".join(f"`{name}`" for name in others[:_MOST_NAMES])
    rest = f" and {len(others) - _MOST_NAMES} more" if len(others) > _MOST_NAMES else ""
    if loop:
        message = f"`{first}` receives nothing as long as nothing starts the loop {drawn(loop)}"
    else:
        message = f"`{first}` receives nothing as long as `{members[0]}`, which reads only itself, does not send"
    sink.note(
        "DF208",
        f"{message}: all that it reads comes from there",
        spans[first],
        related=[Label(loop[-1].edge.span, "the loop closes here")] if loop else [],
        notes=[f"the same holds for {names}{rest}"] if others else [],
        help=f"give `{first}` or the loop a timer, unless a node of the loop sends by itself",
    )
