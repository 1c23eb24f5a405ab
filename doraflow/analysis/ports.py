"""Ports of a node: inputs and outputs of a node's or operator's keys, as the graph wants them.

Every port gets the spans of its id, its source and its annotation. Nothing here looks at another node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import DEFAULT_QUEUE_SIZE

from doraflow.analysis.patterns import check_pattern, metadata_keys
from doraflow.diagnostics import Label
from doraflow.ir import Input, Output
from doraflow.parser.sources import parse_source
from doraflow.parser.suggest import Choices
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Collection

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Node
    from doraflow.parser.document import Declared
    from doraflow.parser.keys import InputOptions, PortKeys
    from doraflow.parser.syntax import SyntaxNode

_OUTPUT_SETTINGS = ("output_types", "output_framing", "output_metadata")


@dataclass(frozen=True, slots=True)
class Holder:
    """What declares ports: a node, or one of its operators.

    `keys` and `syntax` are its own, `declared` is the node; `prefix` is `operator/`, or empty for the node itself.
    """

    declared: Declared
    keys: PortKeys
    syntax: MappingNode
    prefix: str = ""

    @property
    def name(self) -> str:
        """The id by which messages call it: `node` or `node/operator`."""
        return f"{self.declared.node.id}/{self.prefix}".removesuffix("/")


def written_id(node: Node, port: str) -> str:
    """Give a port's id as a user writes it: without the operator where the node has a sole one."""
    has_sole = bool(node.operators) and node.operators[0].sole  # it is read first
    return port.partition("/")[2] if has_sole else port


def read_inputs(holder: Holder, sink: Sink) -> tuple[Input, ...]:
    """Read the inputs; one whose source is malformed is reported and left out."""
    inputs = holder.syntax.get("inputs")
    written = [entry.key.text for entry in inputs.entries] if isinstance(inputs, MappingNode) else []
    _check_declared(holder, "input", "input_types", written, sink)
    read = (_input(holder, inputs, name, options, sink) for name, options in holder.keys.inputs.items())
    return tuple(port for port in read if port is not None)


def _input(holder: Holder, inputs: SyntaxNode | None, name: str, options: InputOptions, sink: Sink) -> Input | None:
    entry = inputs.entry(name) if isinstance(inputs, MappingNode) else None
    own = entry.value if entry is not None else None
    written = _written(own, "source") or own or holder.syntax
    span = entry.key.span if entry is not None else None
    inside = head_span(written)
    outside = holder.declared.wired.get(inside)
    source = parse_source(options.source, outside or inside, sink)
    if source is None:
        return None
    timeout = _written(own, "input_timeout")
    queue = _written(own, "queue_policy") or _written(own, "queue_size")
    return Input(
        id=holder.prefix + name,
        source=source,
        span=span or inside,
        source_span=outside or inside,
        queue_size=options.queue_size or DEFAULT_QUEUE_SIZE,
        queue_policy=options.queue_policy or "drop_oldest",
        queue_span=queue.span if queue is not None else None,
        input_timeout=options.input_timeout,
        timeout_span=timeout.span if timeout is not None else None,
        type_name=holder.keys.input_types.get(name),
        type_span=_value_span(holder.syntax.get("input_types"), name),
        scope="" if outside else _scope(holder.declared),
    )


def read_outputs(holder: Holder, sink: Sink) -> tuple[Output, ...]:
    """Read the outputs; a second one of the same id is reported and left out."""
    keys = holder.keys
    for setting in _OUTPUT_SETTINGS:
        _check_declared(holder, "output", setting, keys.outputs, sink)
    check_pattern(holder.name, keys, holder.syntax, holder.declared.gaps, sink)
    types = holder.syntax.get("output_types")
    outputs = holder.syntax.get("outputs")
    items = outputs.items if isinstance(outputs, SequenceNode) else ()
    read: dict[str, Output] = {}
    for name, item in zip(keys.outputs, items, strict=True):
        if name in read:
            _tell_twice(name, item.span, read[name].span, sink)
            continue
        read[name] = Output(
            id=holder.prefix + name,
            span=item.span,
            type_name=keys.output_types.get(name),
            type_span=_value_span(types, name),
            framing=keys.output_framing.get(name, "raw"),
            metadata_keys=metadata_keys(keys, name),
        )
    return tuple(read.values())


def _tell_twice(name: str, span: Span, first: Span, sink: Sink) -> None:
    sink.error(
        "DF202",
        f"the output `{name}` is listed twice; the second adds nothing",
        span,
        related=[Label(first, "listed here first")],
        help="remove one of the two",
    )


def _check_declared(holder: Holder, kind: str, setting: str, known: Collection[str], sink: Sink) -> None:
    settings = holder.syntax.get(setting)
    if not isinstance(settings, MappingNode) or holder.declared.gaps & {f"{kind}s", "operator", "operators"}:
        return
    declared = dict.fromkeys(known)
    choices = Choices(tuple(declared))
    for entry in settings.entries:
        name = entry.key.text
        if name in declared:
            continue
        near = choices.near(name)
        listed = f"; its {kind}s are {choices.text(near)}" if choices else f": it has no {kind}s"
        sink.error(
            "DF206",
            f"`{setting}` names `{name}`, which is no {kind} of `{holder.name}`{listed}",
            entry.key.span,
            help=f"to mean the closest {kind}, write `{near[0]}`" if near else f"add `{name}` to `{kind}s`",
            replacement=near[0] if near and settings.get(near[0]) is None else None,
        )


def _scope(declared: Declared) -> str:
    """Tell what the modules around a node have put before its id."""
    own = declared.syntax.get("id")
    if declared.module is None or not isinstance(own, ScalarNode):
        return ""
    return declared.node.id.removesuffix(own.text)


def _written(own: SyntaxNode | None, key: str) -> SyntaxNode | None:
    return own.get(key) if isinstance(own, MappingNode) else None


def _value_span(mapping: SyntaxNode | None, name: str) -> Span | None:
    value = mapping.get(name) if isinstance(mapping, MappingNode) else None
    return value.span if value is not None else None
