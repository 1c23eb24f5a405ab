"""Rates against what inputs are prepared for: a queue too short for them, a timeout shorter than the interval.

Only timers are known for certain, so everything that depends on how a node uses them is a note with its assumption.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from doraflow.analysis.feeding import SERVERS, vertices_with_pattern
from doraflow.analysis.ports import written_id
from doraflow.analysis.rates import Rates, how_often, interval_of, reads_a_node, timer_of
from doraflow.analysis.topology import vertex_of
from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from doraflow.analysis.rates import Rate
    from doraflow.diagnostics import Sink
    from doraflow.ir import Edge, Graph, Input, Node

LATEST_ONLY = 1
"""The queue size by which a node says that only the newest message counts: what is dropped there is meant to be."""

_NANOSECONDS = 10**9


def check_pace(graph: Graph, sink: Sink) -> Graph:
    """Report inputs that their rates do not fit; the graph is returned as it is."""
    if graph.incomplete:
        return graph
    rates = Rates(graph)
    for ports in rates.ports.values():
        timer = timer_of(ports)
        for node, port in ports:
            if timer is not None and reads_a_node(port):
                _check_queue(node, port, timer, rates, sink)
    _check_timeouts(graph, rates, sink)
    return graph


def _check_queue(node: Node, port: Input, timer: Input, rates: Rates, sink: Sink) -> None:
    edge = rates.edge(node.id, port.id)
    rate = rates.of_edge(edge) if edge is not None else None
    if edge is None or rate is None or port.queue_policy != "drop_oldest" or port.queue_size <= LATEST_ONLY:
        return
    between = _between(timer, rate)
    if between > port.queue_size:
        _tell_short_queue(node, port, timer, rate, edge, sink)


def _between(timer: Input, rate: Rate) -> int:
    """Count the messages from one tick to the next; intervals are whole nanoseconds, so 60 Hz comes a little short."""
    return math.ceil(interval_of(timer) / rate.interval_ns - 0.001)


def _tell_short_queue(node: Node, port: Input, timer: Input, rate: Rate, edge: Edge, sink: Sink) -> None:
    name, tick = written_id(node, port.id), written_id(node, timer.id)
    between = _between(timer, rate)
    ticks = _NANOSECONDS / interval_of(timer)
    lost = between - port.queue_size
    sink.note(
        "DF407",
        f"`{name}` of `{node.id}` gets up to {between} messages from one `{tick}` to the next and its queue holds "
        f"{port.queue_size}: if `{node.id}` is busy until the next `{tick}`, {lost} of {between} are dropped "
        f"({lost / between:.0%}, {lost * ticks:.3g} a second)",
        port.source_span,
        label=f"`{edge.producer}` sends here up to {how_often(rate.per_second)}",
        related=[
            Label(rate.span, f"the pace of `{rate.first}`: {how_often(rate.per_second)}"),
            Label(timer.source_span, f"the pace of `{node.id}`: {how_often(ticks)}"),
        ],
        notes=[_assumption(rate)],
        help=f"write `queue_size: 1` if only the newest message counts, or `queue_size: {between}` if none may be lost",
    )


def _assumption(rate: Rate) -> str:
    """Say what the rate rests on."""
    if rate.length == 1:
        who, each = f"`{rate.first}` is", "it gets"
    else:
        between = f", {rate.length - 2} more" if rate.length > 2 else ""
        who, each = f"`{rate.first}`{between} and `{rate.last}` are", "they get"
    return f"{who} taken to send at most one message on an output for each one that {each}"


def _check_timeouts(graph: Graph, rates: Rates, sink: Sink) -> None:
    nodes = {node.id: node for node in graph.nodes}
    servers = vertices_with_pattern(graph, SERVERS)
    for node in graph.nodes:
        for port in node.inputs:
            if port.input_timeout is None:
                continue
            edge = rates.edge(node.id, port.id)
            rate = rates.of_edge(edge) if edge is not None else None
            if interval_of(port) > port.input_timeout * _NANOSECONDS:
                _tell_slow_timer(node, port, port.input_timeout, sink)
            elif rate is not None and rate.interval_ns > port.input_timeout * _NANOSECONDS:
                _tell_slow_sender(node, port, port.input_timeout, rate, sink)
            elif edge is not None and vertex_of(nodes[edge.producer], edge.output) in servers:
                _tell_answers(node, port, edge, nodes[edge.producer], sink)


def _tell_slow_timer(node: Node, port: Input, timeout: float, sink: Sink) -> None:
    interval = interval_of(port) / _NANOSECONDS
    sink.warning(
        "DF408",
        f"`{written_id(node, port.id)}` of `{node.id}` ticks once in {interval:.3g} s and counts as closed after "
        f"{timeout:.3g} s without a message, so it closes after every tick",
        port.timeout_span or port.source_span,
        related=[Label(port.source_span, "the timer is here")],
        help="remove `input_timeout`: a timer does not fail",
    )


def _tell_slow_sender(node: Node, port: Input, timeout: float, rate: Rate, sink: Sink) -> None:
    interval = rate.interval_ns / _NANOSECONDS
    sink.note(
        "DF408",
        f"`{written_id(node, port.id)}` of `{node.id}` gets a message at most once in {interval:.3g} s and counts as "
        f"closed after {timeout:.3g} s without one, so it closes after every message",
        port.timeout_span or port.source_span,
        related=[Label(rate.span, f"the pace of `{rate.first}`: {how_often(rate.per_second)}")],
        notes=[_assumption(rate)],
        help=f"write a time above {interval:.3g}",
    )


def _tell_answers(node: Node, port: Input, edge: Edge, producer: Node, sink: Sink) -> None:
    output = f"{edge.producer}/{written_id(producer, edge.output)}"
    sink.warning(
        "DF408",
        f"`{written_id(node, port.id)}` of `{node.id}` reads the answers of a server, `{output}`, and counts as closed "
        "when nobody has asked for a while",
        port.timeout_span or port.source_span,
        help="remove `input_timeout`, and let the node time each request by itself",
    )
