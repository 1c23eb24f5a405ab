"""Loops that nothing starts, and a node that reads itself.

Loops are legal, since a node may send without having received; so nothing here is an error unless `--strict` asks.
Loops whose queues block one another are for `doraflow.analysis.blocking`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.feeding import SERVERS, fed_vertices, idle_loops, vertices_with_pattern
from doraflow.analysis.topology import arcs_inside, by_operator, shortest_loop
from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from doraflow.analysis.topology import Arc, Topology
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


def check_cycles(graph: Graph, sink: Sink) -> Graph:
    """Report loops; the graph is returned as it is."""
    topology = by_operator(graph)
    fed = fed_vertices(graph, topology)
    _check_self_reads(graph, topology, fed, sink)
    if len(fed) < len(topology.vertices) and not graph.incomplete:
        _check_idle(graph, topology, fed, sink)
    return graph


def drawn(path: Sequence[Arc]) -> str:
    """Write a loop as `a -> b -> a`."""
    return " -> ".join([arc.start for arc in path] + [path[0].start])


def _check_self_reads(graph: Graph, topology: Topology, fed: Collection[str], sink: Sink) -> None:
    own = {arc.end: arc for arc in reversed(topology.arcs) if arc.start == arc.end}
    if not own:
        return
    reading_others = {arc.end for arc in topology.arcs if arc.start != arc.end}
    policies = {(node.id, port.id): port.queue_policy for node in graph.nodes for port in node.inputs}
    for arc in reversed(own.values()):
        if policies[arc.edge.consumer, arc.edge.input] == "backpressure":
            _tell_unbounded_self_read(arc, sink)
        else:
            alone = not graph.incomplete and arc.end not in fed and arc.end not in reading_others
            _tell_self_read(arc, alone=alone, sink=sink)


def _tell_self_read(arc: Arc, *, alone: bool, sink: Sink) -> None:
    end = ", and nothing else feeds it: it must send first by itself" if alone else ""
    sink.warning(
        "DF403",
        f"`{arc.start}` reads its own output `{arc.text}`{end}",
        arc.edge.span,
        help="keep the value in the node's own state, unless the message is meant to come round again",
    )


def _tell_unbounded_self_read(arc: Arc, sink: Sink) -> None:
    """Report a queue that would hold its own node back: instead of letting it wait for itself, the queue grows."""
    sink.warning(
        "DF402",
        f"`{arc.start}` reads its own output `{arc.text}` from a queue that holds the sender back; "
        "a node cannot wait for itself, so the queue grows without bound where it sends more than it reads",
        arc.edge.span,
        help="write `queue_policy: drop_oldest` at this input, or keep the value in the node's own state",
    )


def _check_idle(graph: Graph, topology: Topology, fed: Collection[str], sink: Sink) -> None:
    """Report the loops that nothing starts."""
    servers = vertices_with_pattern(graph, SERVERS)
    whole = not fed
    groups = tuple(idle_loops(topology, fed))
    for members, inside in zip(groups, arcs_inside(groups, topology.arcs), strict=True):
        path = shortest_loop(members, inside)
        if servers.issuperset(members):
            _tell_servers(path, sink)
        else:
            _tell_idle(path, whole=whole, sink=sink)
        whole = False


def _tell_idle(path: Sequence[Arc], *, whole: bool, sink: Sink) -> None:
    first = path[0].start
    if whole:
        code, message = "DF404", f"the dataflow has no source: every node waits for another one, as in {drawn(path)}"
    else:
        code, message = "DF401", f"nothing starts the loop {drawn(path)}: no timer and no source feeds it"
    closing = path[-1]
    sink.warning(
        code,
        message,
        closing.edge.span,
        label=_reads(closing),
        related=[Label(arc.edge.span, _reads(arc)) for arc in path[:-1]],
        help=f"give `{first}` a timer such as `tick: dora/timer/millis/100`, unless one of the nodes sends by itself",
    )


def _tell_servers(path: Sequence[Arc], sink: Sink) -> None:
    closing = path[-1]
    sink.warning(
        "DF406",
        f"the loop {drawn(path)} cannot start: each of its nodes is a server, which answers and never speaks first",
        closing.edge.span,
        label=_reads(closing),
        related=[Label(arc.edge.span, _reads(arc)) for arc in path[:-1]],
        help=f"if `{path[0].start}` is the one that asks, write `pattern: service-client` or `action-client` there",
    )


def _reads(arc: Arc) -> str:
    return f"`{arc.end}` reads `{arc.text}` here"
