"""Loops: those that nothing starts, those whose queues can block one another, and a node that reads itself.

Loops are legal, since a node may send without having received; so nothing here is an error unless `--strict` asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.topology import is_acyclic, loops, shortest_loop
from doraflow.diagnostics import Label
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Edge, Graph


def check_cycles(graph: Graph, sink: Sink) -> Graph:
    """Report loops; the graph is returned as it is."""
    if is_acyclic(graph):
        return graph
    policies = {(node.id, port.id): port.queue_policy for node in graph.nodes for port in node.inputs}
    blocking = tuple(edge for edge in graph.edges if policies[edge.consumer, edge.input] == "backpressure")
    fed = _fed_nodes(graph)
    _check_self_reads(graph, blocking, fed, sink)
    _check_idle(graph, fed, sink)
    for members in loops(graph, blocking) if blocking else ():
        _tell_blocking(shortest_loop(members, blocking), sink)
    return graph


def drawn(path: Sequence[Edge]) -> str:
    """Write a loop as `a -> b -> a`."""
    return " -> ".join([edge.producer for edge in path] + [path[0].producer])


def _fed_nodes(graph: Graph) -> frozenset[str]:
    """Collect what a timer, a log subscription or a node without inputs can reach.

    A node with an input whose reference failed counts as fed: the failed reference is told already.
    """
    known = {(edge.consumer, edge.input) for edge in graph.edges}
    fed = [
        node.id
        for node in graph.nodes
        if not node.inputs
        or any(not isinstance(port.source, PortReference) or (node.id, port.id) not in known for port in node.inputs)
    ]
    readers: dict[str, list[str]] = {}
    for edge in graph.edges:
        readers.setdefault(edge.producer, []).append(edge.consumer)
    seen = set(fed)
    for node in fed:
        for reader in readers.get(node, ()):
            if reader not in seen:
                seen.add(reader)
                fed.append(reader)
    return frozenset(seen)


def _check_self_reads(graph: Graph, blocking: Collection[Edge], fed: Collection[str], sink: Sink) -> None:
    others = {edge.consumer for edge in graph.edges if edge.producer != edge.consumer}
    told: set[str] = set()
    for edge in graph.edges:
        if edge.producer != edge.consumer or edge.consumer in told:
            continue
        told.add(edge.consumer)
        if edge in blocking:
            _tell_blocking_self_read(edge, sink)
        else:
            _tell_self_read(edge, alone=edge.consumer not in fed and edge.consumer not in others, sink=sink)


def _tell_self_read(edge: Edge, *, alone: bool, sink: Sink) -> None:
    end = ", and nothing else feeds it: it must send first by itself" if alone else ""
    sink.warning(
        "DF403",
        f"`{edge.producer}` reads its own output `{edge.output}`{end}",
        edge.span,
        help="keep the value in the node's own state, unless the message is meant to come round again",
    )


def _tell_blocking_self_read(edge: Edge, sink: Sink) -> None:
    sink.warning(
        "DF402",
        f"`{edge.producer}` reads its own output `{edge.output}` from a queue that holds the sender back; "
        "once it is full, the node waits for itself",
        edge.span,
        help=f"write `queue_policy: drop_oldest` at `{edge.input}`, or keep the value in the node's own state",
    )


def _check_idle(graph: Graph, fed: Collection[str], sink: Sink) -> None:
    """Report the loops that nothing starts, but none that a loop reported here would start."""
    groups = loops(graph)
    group_of = {node: number for number, members in enumerate(groups) for node in members}
    entered = {group_of.get(edge.consumer) for edge in graph.edges if _leads_over(edge, group_of)}
    whole = not fed
    for number, members in enumerate(groups):
        if number not in entered and members[0] not in fed:
            _tell_idle(shortest_loop(members, graph.edges), whole=whole, sink=sink)
            whole = False


def _leads_over(edge: Edge, group_of: Mapping[str, int]) -> bool:
    return group_of.get(edge.producer) != group_of.get(edge.consumer)


def _tell_idle(path: Sequence[Edge], *, whole: bool, sink: Sink) -> None:
    first = path[0].producer
    if whole:
        code, message = "DF404", f"the dataflow has no source: every node waits for another one, as in {drawn(path)}"
    else:
        code, message = "DF401", f"nothing starts the loop {drawn(path)}: no timer and no source feeds it"
    closing = path[-1]
    sink.warning(
        code,
        message,
        closing.span,
        label=_reads(closing),
        related=[Label(edge.span, _reads(edge)) for edge in path[:-1]],
        help=f"give `{first}` a timer such as `tick: dora/timer/millis/100`, unless one of the nodes sends by itself",
    )


def _reads(edge: Edge) -> str:
    return f"`{edge.consumer}` reads `{edge.producer}/{edge.output}` here"


def _tell_blocking(path: Sequence[Edge], sink: Sink) -> None:
    closing = path[-1]
    sink.warning(
        "DF402",
        f"every queue of the loop {drawn(path)} holds its sender back; once all are full, no node can go on",
        closing.span,
        label=_holds(closing),
        related=[Label(edge.span, _holds(edge)) for edge in path[:-1]],
        help=f"write `queue_policy: drop_oldest` at one of them, such as `{closing.input}` of `{closing.consumer}`",
    )


def _holds(edge: Edge) -> str:
    return f"`{edge.consumer}` holds `{edge.producer}` back here"
