"""Rules that join several keys of one node: what excludes what, and what needs what.

Each value by itself has been judged by the model; what concerns several nodes is judged in `doraflow.analysis`.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.environment import check_environment
from doraflow.parser.keys import LogKeys, PortKeys
from doraflow.parser.model import Node, OperatorBody, RestartKeys
from doraflow.parser.recovery import NO_GAPS
from doraflow.parser.ros2_rules import check_bridge
from doraflow.parser.secrets import check_texts, check_values
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span, is_null

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.recovery import Gaps

IMPLEMENTATIONS = ("path", "operator", "operators", "ros2", "module", "hub")
OPERATOR_IMPLEMENTATIONS = ("python", "shared-library", "wasm")
PINS = ("branch", "tag", "rev")

_PORTS_AND_LIFE = frozenset((*PortKeys.model_fields, *LogKeys.model_fields, *RestartKeys.model_fields))
_GIT = frozenset(("git", *PINS))
_PROCESS = _GIT | {"path_sha256", "args", "shared_memory_pool_size", "shared_memory_ready", "huge_pages"}
_OPERATOR_NODE = _PORTS_AND_LIFE | _PROCESS | {"build", "params"}

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")

# What has no effect beside an implementation; dora refuses these too, or drops them in silence.
_WITHOUT_EFFECT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "path": frozenset({"params"}),
        "operator": _OPERATOR_NODE,
        "operators": _OPERATOR_NODE,
        "ros2": _GIT | {"path_sha256", "build", "params"},
        "module": _PORTS_AND_LIFE - {"inputs"} | _PROCESS | {"cpu_affinity", "data_format", "spawn", "spin_us"},
        "hub": _GIT | {"path_sha256", "build", "params"},
    }
)


def check_nodes(nodes: Sequence[Node], file: MappingNode, sink: Sink, gaps: Gaps = NO_GAPS) -> None:
    """Judge the nodes of a dataflow or module file; `file` is its whole syntax, and `gaps` tells what it lacks."""
    items = file.get("nodes")
    if not isinstance(items, SequenceNode):
        return
    for node, syntax in zip(nodes, items.items, strict=True):
        if isinstance(syntax, MappingNode):
            _check_node(node, syntax, sink, gaps.keys.get(node.id, frozenset()))
            bridge = syntax.get("ros2")
            if isinstance(bridge, MappingNode) and not gaps.keys.get(node.id):
                check_bridge(bridge, syntax, sink)


def check_has_nodes(file: MappingNode, sink: Sink) -> None:
    """Warn of a dataflow that has no nodes: dora takes it, and it does nothing."""
    entry = file.entry("nodes")
    if entry is None or not (is_null(entry.value) or entry.value == SequenceNode((), entry.value.span)):
        return
    sink.warning(
        "DF145",
        "the dataflow has no nodes, so there is nothing to run",
        entry.key.span,
        help="write the first node below `nodes:`, as `- id: NAME` with `path: PROGRAM` on the next line",
    )


def _check_node(node: Node, syntax: MappingNode, sink: Sink, missing: frozenset[str]) -> None:
    chosen = _given(syntax, IMPLEMENTATIONS)
    if not chosen and missing.isdisjoint(IMPLEMENTATIONS):
        _tell_nothing_to_run(node, syntax, sink)
    elif chosen:
        _check_exclusive(chosen, "a node has one implementation", syntax, sink)
        _check_effect(chosen[0], syntax, sink)
    _check_pins(syntax, sink)
    _check_digest(syntax, sink)
    check_environment(syntax.get("env"), sink)
    check_values(syntax.get("params"), sink)
    check_texts(syntax, sink)
    operators = _operators(syntax)
    for operator in operators:
        _check_operator(operator, sink, is_whole=missing.isdisjoint({"operator", "operators"}))
        check_texts(operator, sink)
    _check_shared_logs(operators, sink)


def _tell_nothing_to_run(node: Node, syntax: MappingNode, sink: Sink) -> None:
    empty = next((entry.key for entry in syntax.entries if entry.key.text in IMPLEMENTATIONS), None)
    reason = (
        f"`{empty.text}` is empty"
        if empty is not None
        else "none of `path`, `operator`, `operators`, `module`, `ros2` and `hub` is given"
    )
    sink.error(
        "DF110",
        f"the node `{node.id}` has no implementation: {reason}",
        empty.span if empty is not None else head_span(syntax),
        help="add `path: …` with the program or script that the node runs"
        if empty is None
        else f"write a value after `{empty.text}:`",
    )


def _check_operator(syntax: MappingNode, sink: Sink, *, is_whole: bool) -> None:
    chosen = _given(syntax, OPERATOR_IMPLEMENTATIONS)
    if not chosen and is_whole:
        sink.error(
            "DF110",
            "this operator has no implementation: none of `python`, `shared-library` and `wasm` is given",
            head_span(syntax),
            help="add `python: …` with the script that implements it",
        )
    _check_exclusive(chosen, "an operator has one implementation", syntax, sink)


def _check_shared_logs(operators: Sequence[MappingNode], sink: Sink) -> None:
    """Report a second operator of a node with the same key for logs: the node has one log and one standard output."""
    first: dict[str, Span] = {}
    for operator in operators:
        for entry in operator.entries:
            key = entry.key.text
            if key not in LogKeys.model_fields or is_null(entry.value):
                continue
            if key in first:
                sink.error(
                    "DF109",
                    f"two operators of one node give `{key}`, and they share its log and its standard output",
                    entry.key.span,
                    related=[Label(first[key], "given here first")],
                    help=f"remove one `{key}`",
                )
            first.setdefault(key, entry.key.span)


def _check_exclusive(chosen: Sequence[str], rule: str, syntax: MappingNode, sink: Sink) -> None:
    for other in chosen[1:]:
        sink.error(
            "DF109",
            f"`{chosen[0]}` and `{other}` exclude one another: {rule}",
            syntax.key_span(other),
            related=_label(syntax, chosen[0], f"`{chosen[0]}` is given here"),
            help=f"remove `{chosen[0]}` or `{other}`",
        )


def _check_effect(implementation: str, syntax: MappingNode, sink: Sink) -> None:
    for key in _given(syntax, _WITHOUT_EFFECT[implementation]):
        sink.error(
            "DF109",
            f"`{key}` has no effect beside `{implementation}`",
            syntax.key_span(key),
            related=_label(syntax, implementation, f"`{implementation}` is given here"),
            help=_mend(implementation, key),
        )


def _mend(implementation: str, key: str) -> str:
    if implementation in ("operator", "operators") and key in OperatorBody.model_fields:
        return f"move `{key}` into `{implementation}`"
    if implementation == "module" and key in Node.model_fields:
        return f"remove `{key}`, or set it on the nodes inside the module"
    return f"remove `{key}`"


def _check_pins(syntax: MappingNode, sink: Sink) -> None:
    pins = _given(syntax, PINS)
    for other in pins[1:]:
        sink.error(
            "DF111",
            f"`{pins[0]}` and `{other}` pin the git source twice",
            syntax.key_span(other),
            related=_label(syntax, pins[0], f"`{pins[0]}` is given here"),
            help=f"remove `{pins[0]}` or `{other}`",
        )
    if pins and not _given(syntax, ("git", "module", "operator", "operators", "ros2", "hub")):
        sink.error(
            "DF111",
            f"`{pins[0]}` pins a git source, and the node has no `git`",
            syntax.key_span(pins[0]),
            help=f"add `git: …` with the address of the repository, or remove `{pins[0]}`",
        )


def _check_digest(syntax: MappingNode, sink: Sink) -> None:
    path, digest = syntax.get("path"), syntax.get("path_sha256")
    if not isinstance(path, ScalarNode) or not isinstance(digest, ScalarNode) or is_null(digest):
        return
    if path.text.startswith(("http://", "https://")) and not _DIGEST.fullmatch(digest.text):
        sink.error(
            "DF103",
            f"`path_sha256` is `{digest.text}`, expected the 64 hexadecimal digits of a SHA-256 digest",
            digest.span,
            help="write what `sha256sum` prints for the file",
        )


def _operators(syntax: MappingNode) -> list[MappingNode]:
    single, several = syntax.get("operator"), syntax.get("operators")
    items = several.items if isinstance(several, SequenceNode) else ()
    return [operator for operator in (single, *items) if isinstance(operator, MappingNode)]


def _given(syntax: MappingNode, keys: Sequence[str] | frozenset[str]) -> list[str]:
    """List which of `keys` a mapping gives a value, in the order of the file."""
    return [entry.key.text for entry in syntax.entries if entry.key.text in keys and not is_null(entry.value)]


def _label(syntax: MappingNode, key: str, text: str) -> list[Label]:
    span = syntax.key_span(key)
    return [] if span is None else [Label(span, text)]
