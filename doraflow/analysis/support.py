"""What the language can say and this version cannot carry out: told where it stands, never passed over.

A key without effect is a warning. A node that cannot run is a warning while checking and an error as soon as a bundle
is wanted: see `UNRUNNABLE`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.analysis.logs import log_rules
from doraflow.analysis.ports import written_id
from doraflow.analysis.settings import PROCESS_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph, Node, Operator, Output

UNRUNNABLE = "DF902"
"""The code whose warnings the pipeline turns into errors when a bundle is built."""

MOST_LINKS = 65_535
"""How many edges a wiring table can number."""

_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ros2": ("is a bridge to ROS 2, which this version cannot run", "replace it by a node that uses rclpy"),
        "hub": (
            "is a package of the hub, which this version cannot fetch",
            "install it, and name its program in `path`",
        ),
        "url": ("is a program to be downloaded, which this version does not do", "download it, and give its path"),
    }
)
# Keys that belong together are told of once, at the first that is given.
_WITHOUT_EFFECT: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("data_format", "default_data_format"): "messages travel as Arrow",
        ("debug",): "messages cannot be inspected from outside",
    }
)
_AS_IF_NOT_GIVEN: tuple[object, ...] = (None, "never", "local", "arrow", {}, {"enable_debug_inspection": False})


def check_support(graph: Graph, sink: Sink) -> Graph:
    """Report keys without effect and nodes that cannot run; the graph is returned as it is."""
    _check_settings("", graph.settings, graph.setting_spans, sink)
    for node in graph.nodes:
        _check_kind(node, sink)
        _check_settings(f" of `{node.id}`", {**node.settings, **node.deployment}, node.setting_spans, sink)
        if node.settings.get("spawn") == "fork" and node.kind not in ("python", "operators"):
            _tell("spawn", f" of `{node.id}`", "only Python nodes are forked", node.setting_spans.get("spawn"), sink)
        if node.settings.get("spin_us") and node.kind not in ("python", "operators"):
            where = node.setting_spans.get("spin_us")
            _tell("spin_us", f" of `{node.id}`", "only Python nodes wait in this way", where, sink)
        if node.kind == "dynamic":
            _check_dynamic(node, sink)
        _check_labels(node, graph, sink)
        for operator in node.operators:
            _check_operator(node, operator, sink)
        for output in node.outputs:
            _check_output(node, output, sink)
    _check_logs_between_hosts(graph, sink)
    _check_links(graph, sink)
    return graph


def _check_kind(node: Node, sink: Sink) -> None:
    if node.kind in _KINDS:
        reason, mend = _KINDS[node.kind]
        sink.warning(UNRUNNABLE, f"`{node.id}` {reason}", node.span, help=mend)
    elif node.git is not None:
        sink.warning(
            UNRUNNABLE,
            f"`{node.id}` is built from a git repository, which this version cannot fetch",
            node.span,
            help="clone the repository beside the dataflow, and give the path in it",
        )


def _tell(key: str, owner: str, consequence: str, span: Span | None, sink: Sink) -> None:
    message = f"`{key}`{owner} has no effect in this version: {consequence}"
    sink.warning("DF901", message, span, help=f"to be rid of this warning, remove `{key}`")


def _check_settings(owner: str, settings: Mapping[str, object], spans: Mapping[str, Span], sink: Sink) -> None:
    for keys, consequence in _WITHOUT_EFFECT.items():
        given = [key for key in keys if settings.get(key) not in _AS_IF_NOT_GIVEN]
        if given:
            _tell(given[0], owner, consequence, spans.get(given[0]), sink)


def _check_dynamic(node: Node, sink: Sink) -> None:
    given = [key for key in PROCESS_SETTINGS if node.settings.get(key) not in _AS_IF_NOT_GIVEN]
    if given:
        consequence = "the process of a dynamic node is started by hand"
        _tell(given[0], f" of `{node.id}`", consequence, node.setting_spans.get(given[0]), sink)


def _check_labels(node: Node, graph: Graph, sink: Sink) -> None:
    if not node.deployment.get("labels"):
        return
    span = node.setting_spans.get("labels")
    if node.machine is not None:
        _tell("labels", f" of `{node.id}`", "its `machine` is named too", span, sink)
    elif graph.knows_machines and not graph.hosts:
        sink.warning(
            "DF901",
            f"`labels` of `{node.id}` choose no machine: none is listed under `hosts`",
            span,
            help="list the machines with their labels under `hosts`, or give a file that does by `--inventory`",
        )


def _check_operator(node: Node, operator: Operator, sink: Sink) -> None:
    name = f"`{node.id}`" if operator.sole else f"`{node.id}/{operator.id}`"
    title = f"operator of {name}" if operator.sole else f"operator {name}"
    if operator.language != "python" and operator.path:
        kind = "a shared library" if operator.language == "shared-library" else "a WebAssembly module"
        sink.warning(
            UNRUNNABLE,
            f"the {title} is {kind}, and this version runs Python operators only",
            operator.path_span,
            help="replace it by a Python operator, or by a node with a program of its own",
        )
    if operator.conda_env is not None:
        _tell("conda_env", f" of {name}", "operators run in the launcher's own Python", operator.path_span, sink)
    _check_settings(f" of {name}", operator.settings, operator.setting_spans, sink)


def _check_output(node: Node, output: Output, sink: Sink) -> None:
    if output.framing == "arrow-ipc":
        owner = f" of `{node.id}/{written_id(node, output.id)}`"
        _tell("output_framing", owner, "messages travel as plain buffers", output.span, sink)


def _check_logs_between_hosts(graph: Graph, sink: Sink) -> None:
    """Report outputs that carry a log to another host: the launcher sends those, and only on its own host."""
    nodes = {node.id: node for node in graph.nodes}
    carried = {node.id: {log_rules(node).lines_to, log_rules(node).records_to} for node in graph.nodes}
    for edge in graph.edges:
        producer, consumer = nodes[edge.producer], nodes[edge.consumer]
        if producer.host != consumer.host and edge.output in carried[edge.producer]:
            sink.warning(
                UNRUNNABLE,
                f"`{edge.producer}/{edge.output}` carries a log, and `{consumer.id}` on `{consumer.host}` cannot read "
                f"it: logs do not leave their host, `{producer.host}`, in this version",
                edge.span,
                help="run both nodes on one machine, or send the lines on an output of their own",
            )


def _check_links(graph: Graph, sink: Sink) -> None:
    if len(graph.edges) > MOST_LINKS:
        sink.error(
            "DF104",
            f"the dataflow has {len(graph.edges)} edges, and at most {MOST_LINKS} can be numbered",
            graph.edges[MOST_LINKS].span,
            help="split the dataflow into two",
        )
