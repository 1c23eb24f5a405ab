"""Queues: settings that cannot have the effect they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.logs import carries_log
from doraflow.analysis.ports import written_id
from doraflow.ir import PortReference, Timer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Input, Node


def check_queues(graph: Graph, sink: Sink) -> Graph:
    """Report a queue that is to hold its sender back where the sender cannot wait; the graph is returned as it is."""
    nodes = {node.id: node for node in graph.nodes}
    for node in graph.nodes:
        for port in node.inputs:
            if port.queue_policy == "backpressure" and (sender := _free_sender(port, nodes)):
                _tell(node, port, sender, sink)
    return graph


def _free_sender(port: Input, nodes: Mapping[str, Node]) -> str:
    """Name what an input reads if that cannot be held back."""
    match port.source:
        case Timer():
            return "a timer"
        case PortReference(producer, output):
            is_log = producer in nodes and carries_log(nodes[producer], output)
            return f"`{port.source}`, the log of `{producer}`" if is_log else ""
    return "the log"


def _tell(node: Node, port: Input, sender: str, sink: Sink) -> None:
    sink.warning(
        "DF405",
        f"`{written_id(node, port.id)}` of `{node.id}` reads {sender}, which cannot be held back: "
        "when the queue is full, the oldest message is dropped",
        port.queue_span or port.source_span,
        help="remove `queue_policy`, or write `queue_policy: drop_oldest`",
    )
