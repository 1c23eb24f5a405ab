"""Logs of nodes: what is to become of them, and settings that cannot have the effect they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.contract import LOG_LEVELS, LogRules

from doraflow.analysis.ports import written_id
from doraflow.diagnostics import Label
from doraflow.ir import LogSubscription
from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph, Node

_OUTPUT_KEYS = ("send_stdout_as", "send_logs_as")


def check_logs(graph: Graph, sink: Sink) -> Graph:
    """Report log settings that lead nowhere; the graph is returned as it is."""
    for node in graph.nodes:
        for owner, prefix, settings, spans in _holders(node):
            _check_outputs(node, owner, prefix, settings, spans, sink)
            _check_rotation(owner, settings, spans, sink)
        for port in node.inputs:
            if isinstance(port.source, LogSubscription) and port.source.node == node.id:
                sink.warning(
                    "DF851",
                    f"`{written_id(node, port.id)}` of `{node.id}` reads its own log, which no node is told of: "
                    "nothing arrives",
                    port.source_span,
                    help="remove the input, or read the log of another node",
                )
    return graph


def log_rules(node: Node) -> LogRules:
    """Say what is to become of the log of a node; an operator's settings are those of its node."""
    given: dict[str, object] = {}
    for _, prefix, settings, _ in _holders(node):
        for key, value in settings.items():
            text = f"{prefix}{value}" if key in _OUTPUT_KEYS else value
            given.setdefault(key, text)
    size, kept = given.get("max_log_size"), given.get("max_rotated_files")
    return LogRules(
        lines_to=str(given.get("send_stdout_as", "")),
        records_to=str(given.get("send_logs_as", "")),
        lowest=next((level for level in LOG_LEVELS if level == given.get("min_log_level")), LogRules().lowest),
        largest_file=size if isinstance(size, int) else 0,
        kept_files=kept if isinstance(kept, int) else LogRules().kept_files,
    )


def carries_log(node: Node, output: str) -> bool:
    """Tell whether an output carries the log of its node."""
    if not node.settings and not node.operators:
        return False
    rules = log_rules(node)
    return output in (rules.lines_to, rules.records_to)


def _holders(node: Node) -> Iterator[tuple[str, str, Mapping[str, object], Mapping[str, Span]]]:
    """Give every place where log settings of a node may stand: who has them, and what comes before his outputs."""
    yield f"`{node.id}`", "", node.settings, node.setting_spans
    for operator in node.operators:
        owner = f"`{node.id}`" if operator.sole else f"`{node.id}/{operator.id}`"
        yield owner, f"{operator.id}/", operator.settings, operator.setting_spans


def _check_outputs(
    node: Node,
    owner: str,
    prefix: str,
    settings: Mapping[str, object],
    spans: Mapping[str, Span],
    sink: Sink,
) -> None:
    outputs = [output.id for output in node.outputs]
    for key in _OUTPUT_KEYS:
        wanted = settings.get(key)
        if wanted is None or key not in spans or f"{prefix}{wanted}" in outputs:
            continue
        own = [output.removeprefix(prefix) for output in outputs if output.startswith(prefix)]
        near = nearest(str(wanted), own)
        listed = ", ".join(f"`{output}`" for output in own)
        sink.warning(
            "DF850",
            f"`{key}` of {owner} names the output `{wanted}`, which it does not have: nobody can read it",
            spans[key],
            related=[Label(node.span, f"has the outputs {listed}" if own else "has no outputs")],
            help=f"write `{key}: {near[0]}`" if near else f"add `{wanted}` to the outputs of {owner}",
        )


def _check_rotation(owner: str, settings: Mapping[str, object], spans: Mapping[str, Span], sink: Sink) -> None:
    if "max_rotated_files" in settings and "max_log_size" not in settings:
        sink.warning(
            "DF851",
            f"`max_rotated_files` of {owner} has no effect without `max_log_size`: its log is one file that grows",
            spans.get("max_rotated_files"),
            help="add `max_log_size: 50MB`, or remove `max_rotated_files`",
        )
