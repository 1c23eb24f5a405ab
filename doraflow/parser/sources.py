"""What an input reads, as text: `node/output`, `node/operator/output`, a timer, or the log.

Only the form is judged here; whether the node and its output exist is for `doraflow.analysis`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.ir import LogSubscription, PortReference
from doraflow.parser.identifiers import judge_node_id, judge_port_id
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.timers import parse_timer, timer_meant, unit_meant

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Source

LOG_LEVELS = ("stdout", "trace", "debug", "info", "warn", "error")

_BUILT_IN = ("timer", "logs")
_OTHER_SEPARATOR = re.compile(r"([A-Za-z0-9_-]+)(?:\.|\s*:+\s*|\s*->\s*|\\)([A-Za-z0-9_-]+)")


def parse_source(text: str, span: Span, sink: Sink) -> Source | None:
    """Read the source of an input; None after an error. `span` is the place of `text`.

    >>> from doraflow.diagnostics import Sink, Span
    >>> str(parse_source("camera/image", Span("dataflow.yml", 1, 1, 1, 13), Sink()))
    'camera/image'
    """
    head, slash, rest = text.partition("/")
    if head != "dora":
        return _parse_reference(text, span, sink)
    kind, _, detail = rest.partition("/")
    if kind == "timer":
        return parse_timer(text, detail, span, sink)
    if kind == "logs":
        return _parse_logs(text, detail, span, sink)
    meant = timer_meant(text) or _built_in(kind, detail)
    sink.error(
        "DF106",
        f"`dora` has no source `{kind}`: there are `dora/timer/…` and `dora/logs`"
        if slash
        else "`dora` alone is no source: there are `dora/timer/…` and `dora/logs`",
        span,
        help=f"write `{meant}`" if meant else "write for example `dora/timer/millis/100`",
        replacement=meant,
    )
    return None


def _built_in(kind: str, detail: str) -> str | None:
    """Give the source of dora's that one with an unknown second word was meant to be."""
    near = nearest(kind, _BUILT_IN)
    if near:
        return f"dora/{near[0]}{'/' + detail if detail else ''}"
    unit = unit_meant(kind)
    return f"dora/timer/{unit}/{detail}" if unit is not None and detail else None


def split_reference(text: str) -> tuple[str, str] | None:
    """Split `node/output` at its first slash; None for a timer, the log, or a text without a slash."""
    head, slash, rest = text.partition("/")
    return (head, rest) if slash and head != "dora" else None


def _parse_reference(text: str, span: Span, sink: Sink) -> PortReference | None:
    node, slash, port = text.partition("/")
    if not slash or not node or not port:
        meant = timer_meant(text)
        sink.error(
            "DF106",
            f"`{text}` is not a source: a source is `node/output`, `dora/timer/…` or `dora/logs`",
            span,
            help=f"write `{meant}`" if meant else _reference_meant(node, port),
            replacement=meant,
        )
        return None
    illegal = judge_node_id(node) or judge_port_id(port)
    if illegal is not None:
        meant = f"{node.strip()}/{port.strip()}"
        timer = timer_meant(text)
        is_legal = timer or not (judge_node_id(node.strip()) or judge_port_id(port.strip()))
        mend = f"write `{timer or meant}`" if is_legal else "write `NODE/OUTPUT` with the ids of a node and its output"
        if port.strip("*") == "" and judge_node_id(node) is None:
            mend = f"write `{node}/OUTPUT` with one output, as an input reads one; add an input for each other output"
        sink.error("DF106", f"`{text}` is not a source: {illegal.message}", span, help=mend)
        return None
    return PortReference(node, port)


def _reference_meant(node: str, port: str) -> str:
    """Say how to write a reference that lacks its slash, or what stands before or after it."""
    other = _OTHER_SEPARATOR.fullmatch(node)
    if other is not None and not port:
        return f"write `{other[1]}/{other[2]}`"
    if node.lower() == "timer" and not port:
        return "write for example `dora/timer/millis/100`"
    outer, slash, inner = port.partition("/")
    if not node and slash and outer and inner:
        return f"write `{port}`"
    return f"write `{node or 'NODE'}/{port or 'OUTPUT'}` with the {_missing(node, port)} to read"


def _missing(node: str, port: str) -> str:
    if node:
        return "output"
    return "node" if port else "node and output"


def _parse_logs(text: str, detail: str, span: Span, sink: Sink) -> LogSubscription | None:
    level, slash, node = detail.partition("/")
    if not level and not slash:
        return LogSubscription(None, None)
    if level.lower() not in LOG_LEVELS:
        near = nearest(level, LOG_LEVELS)
        meant = f"dora/logs/{near[0]}{slash}{node}" if near else None
        sink.error(
            "DF106",
            f"`{text}` names no log level: the levels are {choices_text(level, LOG_LEVELS)}",
            span,
            help=f"write `{meant or f'dora/logs/info{slash}{node}'}`",
            replacement=meant,
        )
        return None
    illegal = judge_node_id(node) if slash else None
    if illegal is not None:
        mend = f"write `dora/logs/{level.lower()}/{illegal.legal or 'NODE'}`"
        sink.error("DF106", f"`{text}` is not a source: {illegal.message}", span, help=mend)
        return None
    return LogSubscription(level.lower(), node or None)
