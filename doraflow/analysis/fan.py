"""Fan-out and fan-in: outputs with very many readers, nodes with very many inputs or neighbours.

The bounds are those of this runtime: a connection for each pair of neighbours, a write for each reader, a queue for
each input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.ports import written_id
from doraflow.analysis.rates import Rates, how_often, interval_of
from doraflow.diagnostics import Label
from doraflow.ir import Timer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.ir import Edge, Graph, Node

FILES_BY_DEFAULT = 1024
"""How many files a process may have open where nobody has raised it: the soft limit of Linux."""

FILES_FOR_ITSELF = 24
"""Files that a node has open without any neighbour: its standard streams, its own socket and the launcher's, what it
waits with, and some of its interpreter's."""

MANY_READERS = 256
SECONDS_A_READER = 10e-6
"""What one more reader costs a sender in Python for each message: the frame, its slot, and waking the reader."""

MOST_OF_A_SECOND = 0.5
MANY_INPUTS = 256
"""From here on the search through the queues, one step for each of them, costs more than the message itself."""


def check_fan(graph: Graph, sink: Sink) -> Graph:
    """Report fans that this runtime cannot serve, or not well; the graph is returned as it is."""
    leaving: dict[str, list[Edge]] = {}
    arriving: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        leaving.setdefault(edge.producer, []).append(edge)
        arriving.setdefault(edge.consumer, []).append(edge)
    rates, fastest = Rates(graph), 0.0 if graph.incomplete else _fastest(graph)
    for node in graph.nodes:
        sent, read = leaving.get(node.id, []), arriving.get(node.id, [])
        if len(sent) + len(read) > FILES_BY_DEFAULT - FILES_FOR_ITSELF and _check_files(node, sent, read, sink):
            continue
        for edges in _by_output(sent).values():
            if len(edges) >= MANY_READERS or fastest * len(edges) * SECONDS_A_READER > MOST_OF_A_SECOND:
                _check_readers(node, edges, rates, sink)
        if len(node.inputs) >= MANY_INPUTS:
            _tell_many_inputs(node, sink)
    return graph


def _fastest(graph: Graph) -> float:
    """Give the ticks in a second of the fastest timer: nothing is known to be sent more often."""
    intervals = (interval_of(port) for node in graph.nodes for port in node.inputs if isinstance(port.source, Timer))
    interval = min(intervals, default=0)
    return 1e9 / interval if interval else 0.0


def _by_output(edges: list[Edge]) -> Mapping[str, list[Edge]]:
    outputs: dict[str, list[Edge]] = {}
    for edge in edges:
        outputs.setdefault(edge.output, []).append(edge)
    return outputs


def _check_files(node: Node, sent: list[Edge], read: list[Edge], sink: Sink) -> bool:
    """Report a node with more neighbours than it may open files; tell whether it is one."""
    connections = len({edge.consumer for edge in sent}) + len({edge.producer for edge in read})
    most = FILES_BY_DEFAULT - FILES_FOR_ITSELF
    if connections <= most:
        return False
    sink.warning(
        "DF409",
        f"`{node.id}` needs {connections} connections, one for each node that it reads from or sends to, and a process "
        f"may open {FILES_BY_DEFAULT} files unless more are allowed: beyond {most} connections no messages arrive",
        node.span,
        help=f"start the dataflow after `ulimit -n {_limit(connections)}`, or let other nodes collect and pass on",
    )
    return True


def _limit(connections: int) -> int:
    """Give the next power of two that leaves room."""
    return int(1 << (connections + FILES_FOR_ITSELF).bit_length())


def _check_readers(node: Node, edges: list[Edge], rates: Rates, sink: Sink) -> None:
    rate = rates.of_edge(edges[0])
    busy = rate.per_second * len(edges) * SECONDS_A_READER if rate is not None else 0.0
    if len(edges) < MANY_READERS and busy <= MOST_OF_A_SECOND:
        return
    cost = f"about {len(edges) * SECONDS_A_READER * 1000:.2g} ms a message"
    if rate is not None and busy > MOST_OF_A_SECOND:
        cost += f", which takes {busy:.0%} of the sender's time if it sends {how_often(rate.per_second)}"
    sink.note(
        "DF410",
        f"`{written_id(node, edges[0].output)}` of `{node.id}` is read by {len(edges)} inputs, and each message is "
        f"written once for each: {cost}",
        next(port.span for port in node.outputs if port.id == edges[0].output),
        related=[Label(edges[0].span, "the first of its readers")],
        help="let other nodes read it and pass it on, or send less often",
    )


def _tell_many_inputs(node: Node, sink: Sink) -> None:
    places = sum(port.queue_size for port in node.inputs)
    sink.note(
        "DF411",
        f"`{node.id}` has {len(node.inputs)} inputs, whose queues hold {places} messages: each message that it takes "
        "is looked for in all of them",
        node.span,
        help="let other nodes collect the messages and pass them on",
    )
