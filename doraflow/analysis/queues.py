"""Queues: settings that cannot have the effect they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.ports import written_id
from doraflow.ir import PortReference, Timer

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Input, Node


def check_queues(graph: Graph, sink: Sink) -> Graph:
    """Report a queue that is to hold its sender back where the sender is no node; the graph is returned as it is."""
    for node in graph.nodes:
        for port in node.inputs:
            if port.queue_policy == "backpressure" and not isinstance(port.source, PortReference):
                _tell(node, port, sink)
    return graph


def _tell(node: Node, port: Input, sink: Sink) -> None:
    sender = "a timer" if isinstance(port.source, Timer) else "the log"
    sink.warning(
        "DF405",
        f"`{written_id(node, port.id)}` of `{node.id}` reads {sender}, which cannot be held back: "
        "when the queue is full, the oldest message is dropped",
        port.queue_span or port.source_span,
        help="remove `queue_policy`, or write `queue_policy: drop_oldest`",
    )
