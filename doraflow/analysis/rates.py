"""How often messages are sent, as far as timers tell.

A node with one input, and no other reason to send, is taken to send at most one message on each output for each message
that it gets. Of every other node nothing is known, and nothing is said. What follows from rates is for the passes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from doraflow.analysis.topology import vertex_of
from doraflow.ir import PortReference, Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Span
    from doraflow.ir import Edge, Graph, Input, Node

_NANOSECONDS = 10**9
_SHOWN_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something comes at most: each `interval_ns` nanoseconds, by the timer at `span`.

    The vertex `first` reads the timer, `last` sends, and the way from one to the other leads over `length` vertices.
    """

    interval_ns: int
    span: Span
    first: str
    last: str
    length: int = 1

    @property
    def per_second(self) -> float:
        """Messages in a second."""
        return _NANOSECONDS / self.interval_ns


class Rates:
    """The rates of a graph. An edge is looked up by its consumer and input."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = {node.id: node for node in graph.nodes}
        self._graph = graph
        self._known: dict[str, Rate | None] = {}
        self._log_outputs: dict[str, frozenset[tuple[str, object]]] = {}

    @cached_property
    def ports(self) -> dict[str, list[tuple[Node, Input]]]:
        """The inputs of each vertex."""
        return ports_by_vertex(self._graph)

    @cached_property
    def _edges(self) -> dict[tuple[str, str], Edge]:
        return {(edge.consumer, edge.input): edge for edge in self._graph.edges}

    def edge(self, consumer: str, port: str) -> Edge | None:
        """Give the edge that ends at an input; None for a timer, and where the reference failed."""
        return self._edges.get((consumer, port))

    def of_edge(self, edge: Edge) -> Rate | None:
        """Tell how often messages come over an edge; None if that is not known."""
        producer = self._nodes[edge.producer]
        if self._carries_log(producer, edge.output):
            return None
        return self._of_vertex(vertex_of(producer, edge.output))

    def _carries_log(self, node: Node, output: str) -> bool:
        """Tell whether an output gets lines of text as they are written, at a pace of their own."""
        if not node.settings and not node.operators:
            return False
        if node.id not in self._log_outputs:
            self._log_outputs[node.id] = frozenset(_log_outputs(node))
        inside, _, port = output.rpartition("/")
        return not self._log_outputs[node.id].isdisjoint({("", port), (inside, port)})

    def _of_vertex(self, vertex: str) -> Rate | None:
        """Walk up the chain of single inputs to a timer, and note the answer for every vertex on the way."""
        chain: list[str] = []
        rate: Rate | None = None
        at: str | None = vertex
        while at is not None and at not in self._known:
            self._known[at] = None  # met again, it is in a loop of which nothing is known
            chain.append(at)
            rate, at = self._step(at)
        if at is not None:
            rate = self._known[at]
        for name in reversed(chain):
            if rate is not None:
                rate = replace(rate, last=name, length=rate.length + 1)
            self._known[name] = rate
        return self._known[vertex]

    def _step(self, vertex: str) -> tuple[Rate | None, str | None]:
        """Give the rate at which a vertex reads its only input, or else the vertex that this depends on."""
        ports = self.ports.get(vertex, [])
        if len(ports) != 1:
            return None, None
        node, port = ports[0]
        if node.kind in ("dynamic", "ros2"):
            return None, None
        if isinstance(port.source, Timer):
            return Rate(port.source.interval_ns, port.source_span, vertex, vertex, 0), None
        edge = self.edge(node.id, port.id)
        if edge is None or self._carries_log(self._nodes[edge.producer], edge.output):
            return None, None
        return None, vertex_of(self._nodes[edge.producer], edge.output)


def ports_by_vertex(graph: Graph) -> dict[str, list[tuple[Node, Input]]]:
    """List the inputs of each vertex: of each node, or operator of a node with several."""
    ports: dict[str, list[tuple[Node, Input]]] = {}
    for node in graph.nodes:
        for port in node.inputs:
            ports.setdefault(vertex_of(node, port.id), []).append((node, port))
    return ports


def timer_of(ports: list[tuple[Node, Input]]) -> Input | None:
    """Give the fastest timer among some inputs; None without any."""
    timers = [port for _, port in ports if isinstance(port.source, Timer)]
    return min(timers, key=interval_of, default=None)


def interval_of(port: Input) -> int:
    """Give the interval of a timer in nanoseconds; 0 for an input that reads none."""
    return port.source.interval_ns if isinstance(port.source, Timer) else 0


def reads_a_node(port: Input) -> bool:
    """Tell whether an input reads an output, and neither a timer nor the log."""
    return isinstance(port.source, PortReference)


def how_often(per_second: float) -> str:
    """Write a rate for people.

    >>> how_often(1000.0), how_often(1000 / 33), how_often(1.0), how_often(0.1)
    ('1000 times a second', '30.3 times a second', 'once a second', 'once in 10 s')
    """
    if per_second == 1:
        return "once a second"
    if per_second > _SHOWN_WHOLE:
        return f"{per_second:.0f} times a second"
    return f"{per_second:.3g} times a second" if per_second > 1 else f"once in {1 / per_second:.3g} s"


def _log_outputs(node: Node) -> Iterator[tuple[str, object]]:
    """Give the outputs that get lines of text, each with the operator that has it: none for the node's own."""
    holders = [("", node.settings), *((inner.id, inner.settings) for inner in node.operators)]
    for owner, settings in holders:
        for key in ("send_stdout_as", "send_logs_as"):
            yield owner, settings.get(key)
