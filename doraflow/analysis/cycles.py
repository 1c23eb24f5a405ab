"""Loops: those that nothing starts, those whose queues can block one another, and a node that reads itself.

Loops are legal, since a node may send without having received; so nothing here is an error unless `--strict` asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.topology import is_acyclic, loops, shortest_loop
from doraflow.diagnostics import Label
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Edge, Graph


def check_cycles(graph: Graph, sink: Sink) -> Graph:
    """Report loops; the graph is returned as it is."""
    if is_acyclic(graph):
        return graph
    policies = {(node.id, port.id): port.queue_policy for node in graph.nodes for port in node.inputs}
    blocking = tuple(edge for edge in graph.edges if policies[edge.consumer, edge.input] == "backpressure")
    stuck = _stuck_groups(graph, blocking)
    fed = _fed_nodes(graph)
    groups = loops(graph)
    idle = [members for members in groups if not fed.intersection(members)]
    for members in groups:
        path = shortest_loop(graph, members)
        if len(members) == 1:
            _tell_self_loop(path, starved=members in idle, sink=sink)
        elif members in idle:
            _tell_idle(path, whole=not fed, sink=sink)
    for members in stuck:
        _tell_blocking(shortest_loop(graph, members, blocking), sink)
    return graph


def drawn(path: Sequence[Edge]) -> str:
    """Write a loop as `a -> b -> a`."""
    return " -> ".join([edge.producer for edge in path] + [path[0].producer])


def _stuck_groups(graph: Graph, blocking: tuple[Edge, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(members for members in loops(graph, blocking) if len(members) > 1) if blocking else ()


def _fed_nodes(graph: Graph) -> set[str]:
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
    return seen


def _tell_self_loop(path: Sequence[Edge], *, starved: bool, sink: Sink) -> None:
    edge = path[0]
    end = ", and nothing else feeds it: it must send first by itself" if starved else ""
    sink.warning(
        "DF403",
        f"`{edge.producer}` reads its own output `{edge.output}`{end}",
        edge.span,
        help="keep the value in the node's own state, unless the message is meant to come round again",
    )


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
        label=f"`{closing.consumer}` reads `{closing.producer}/{closing.output}` here",
        related=[
            Label(edge.span, f"`{edge.consumer}` reads `{edge.producer}/{edge.output}` here") for edge in path[:-1]
        ],
        help=f"give `{first}` a timer such as `tick: dora/timer/millis/100`, unless one of the nodes sends by itself",
    )


def _tell_blocking(path: Sequence[Edge], sink: Sink) -> None:
    closing = path[-1]
    sink.warning(
        "DF402",
        f"every queue of the loop {drawn(path)} holds its sender back; once all are full, no node can go on",
        closing.span,
        label=f"`{closing.consumer}` holds `{closing.producer}` back here",
        related=[Label(edge.span, f"`{edge.consumer}` holds `{edge.producer}` back here") for edge in path[:-1]],
        help=f"write `queue_policy: drop_oldest` at one of them, such as `{closing.input}` of `{closing.consumer}`",
    )
