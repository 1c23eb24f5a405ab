"""Loops: those that nothing starts, those whose queues can block one another, and a node that reads itself.

Loops are legal, since a node may send without having received; so nothing here is an error unless `--strict` asks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.analysis.topology import by_operator, by_process, loops, shortest_loop, vertex_of
from doraflow.diagnostics import Label
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from doraflow.analysis.topology import Arc, Topology
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


def check_cycles(graph: Graph, sink: Sink) -> Graph:
    """Report loops; the graph is returned as it is."""
    topology = by_operator(graph)
    blocking = _blocking_inputs(graph)
    fed = _fed(graph, topology)
    _check_self_reads(topology, blocking, fed, sink)
    if not graph.incomplete:
        _check_idle(topology, fed, sink)
    if blocking:
        _check_blocking(by_process(graph), blocking, sink)
    return graph


def drawn(path: Sequence[Arc]) -> str:
    """Write a loop as `a -> b -> a`."""
    return " -> ".join([arc.start for arc in path] + [path[0].start])


def _blocking_inputs(graph: Graph) -> frozenset[tuple[str, str]]:
    return frozenset(
        (node.id, port.id) for node in graph.nodes for port in node.inputs if port.queue_policy == "backpressure"
    )


def _fed(graph: Graph, topology: Topology) -> frozenset[str]:
    """Collect what a timer, a log subscription or a vertex without inputs can reach.

    A vertex with an input whose reference failed counts as fed: the failed reference is told already.
    """
    known = {(arc.edge.consumer, arc.edge.input) for arc in topology.arcs}
    ports = [(vertex_of(node, port.id), node.id, port) for node in graph.nodes for port in node.inputs]
    reading = {vertex for vertex, _, _ in ports}
    fed = [vertex for vertex in topology.vertices if vertex not in reading]
    fed += [
        vertex
        for vertex, node, port in ports
        if not isinstance(port.source, PortReference) or (node, port.id) not in known
    ]
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


def _check_self_reads(
    topology: Topology, blocking: Collection[tuple[str, str]], fed: Collection[str], sink: Sink
) -> None:
    told: set[str] = set()
    for arc in topology.arcs:
        if arc.start != arc.end or arc.end in told:
            continue
        told.add(arc.end)
        if (arc.edge.consumer, arc.edge.input) in blocking:
            _tell_blocking_self_read(arc, sink)
        else:
            reads_others = any(other.end == arc.end != other.start for other in topology.arcs)
            _tell_self_read(arc, alone=arc.end not in fed and not reads_others, sink=sink)


def _tell_self_read(arc: Arc, *, alone: bool, sink: Sink) -> None:
    end = ", and nothing else feeds it: it must send first by itself" if alone else ""
    sink.warning(
        "DF403",
        f"`{arc.start}` reads its own output `{arc.text}`{end}",
        arc.edge.span,
        help="keep the value in the node's own state, unless the message is meant to come round again",
    )


def _tell_blocking_self_read(arc: Arc, sink: Sink) -> None:
    sink.warning(
        "DF402",
        f"`{arc.start}` reads its own output `{arc.text}` from a queue that holds the sender back; "
        "once it is full, the node waits for itself",
        arc.edge.span,
        help="write `queue_policy: drop_oldest` at this input, or keep the value in the node's own state",
    )


def _check_idle(topology: Topology, fed: Collection[str], sink: Sink) -> None:
    """Report the loops that nothing starts, but none that a loop reported here would start."""
    groups = loops(topology)
    group_of = {vertex: number for number, members in enumerate(groups) for vertex in members}
    entered = {group_of.get(arc.end) for arc in topology.arcs if group_of.get(arc.start) != group_of.get(arc.end)}
    whole = not fed
    for number, members in enumerate(groups):
        if number not in entered and members[0] not in fed:
            _tell_idle(shortest_loop(members, topology.arcs), whole=whole, sink=sink)
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


def _reads(arc: Arc) -> str:
    return f"`{arc.end}` reads `{arc.text}` here"


def _check_blocking(topology: Topology, blocking: Collection[tuple[str, str]], sink: Sink) -> None:
    arcs = tuple(arc for arc in topology.arcs if (arc.edge.consumer, arc.edge.input) in blocking)
    for members in loops(replace(topology, arcs=arcs)):
        path = shortest_loop(members, arcs)
        closing = path[-1]
        sink.warning(
            "DF402",
            f"every queue of the loop {drawn(path)} holds its sender back; once all are full, no node can go on",
            closing.edge.span,
            label=_holds(closing),
            related=[Label(arc.edge.span, _holds(arc)) for arc in path[:-1]],
            help="write `queue_policy: drop_oldest` at one of these inputs",
        )


def _holds(arc: Arc) -> str:
    return f"`{arc.end}` holds `{arc.start}` back here"
