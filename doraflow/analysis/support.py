"""What the language can say and this version cannot carry out: told where it stands, never passed over.

A key without effect is a warning. A node that cannot run is a warning while checking and an error as soon as a bundle
is wanted: see `UNRUNNABLE`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.ir import LogSubscription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Node

UNRUNNABLE = "DF902"
"""The code whose warnings the pipeline turns into errors when a bundle is built."""

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "ros2": "a ROS 2 bridge",
        "hub": "a package of the hub",
        "url": "a program to be downloaded",
        "dynamic": "a dynamic node, started by hand",
    }
)
_WITHOUT_EFFECT: Mapping[str, str] = MappingProxyType(
    {
        "restart_policy": "a node that ends is not started again",
        "health_check_timeout": "a node that hangs is not ended",
        "startup_timeout": "`--start-timeout` of the launcher holds for all nodes",
        "send_stdout_as": "no message is sent for a line of output",
        "send_logs_as": "no message is sent for a log entry",
        "min_log_level": "every log line is kept",
        "max_log_size": "log files are not rotated",
    }
)


def check_support(graph: Graph, sink: Sink) -> Graph:
    """Report keys without effect and nodes that cannot run; the graph is returned as it is."""
    for node in graph.nodes:
        _check_kind(node, sink)
        _check_settings(node, sink)
        _check_ports(node, sink)
    _check_links(graph, sink)
    return graph


def _check_kind(node: Node, sink: Sink) -> None:
    if node.kind in _KINDS:
        _tell_unrunnable(node, f"`{node.id}` is {_KINDS[node.kind]}, which this version cannot run", sink)
    elif node.git is not None:
        _tell_unrunnable(node, f"`{node.id}` is built from a git repository, which this version cannot fetch", sink)
    for operator in node.operators:
        if operator.language != "python":
            sink.warning(
                UNRUNNABLE,
                f"`{operator.id}` of `{node.id}` is a {operator.language} operator; this version runs Python operators",
                operator.path_span,
            )


def _tell_unrunnable(node: Node, message: str, sink: Sink) -> None:
    sink.warning(UNRUNNABLE, message, node.span, help="leave the node out, or run it as a `path:` node")


def _check_settings(node: Node, sink: Sink) -> None:
    for key, consequence in _WITHOUT_EFFECT.items():
        if node.settings.get(key) not in (None, "never"):
            sink.warning("DF901", f"`{key}` of `{node.id}` has no effect in this version: {consequence}", node.span)


def _check_ports(node: Node, sink: Sink) -> None:
    for port in node.inputs:
        if isinstance(port.source, LogSubscription):
            sink.warning(
                "DF901",
                f"`{port.id}` of `{node.id}` reads the log, which has no effect in this version: nothing arrives",
                port.source_span,
            )
        if port.input_timeout is not None:
            sink.warning(
                "DF901",
                f"`input_timeout` of `{port.id}` has no effect in this version: a silent input stays open",
                port.source_span,
            )
    for output in node.outputs:
        if output.framing == "arrow-ipc":
            sink.warning(
                "DF901",
                f"the framing `arrow-ipc` of `{output.id}` has no effect in this version: messages travel as buffers",
                output.span,
            )


def _check_links(graph: Graph, sink: Sink) -> None:
    hosts = {node.id: node.host for node in graph.nodes}
    for edge in graph.edges:
        here, there = hosts[edge.producer], hosts[edge.consumer]
        if here != there:
            sink.warning(
                UNRUNNABLE,
                f"`{edge.consumer}` on `{there}` reads from `{edge.producer}` on `{here}`; "
                "this version has no links between machines",
                edge.span,
                help="run both nodes on one machine",
            )
