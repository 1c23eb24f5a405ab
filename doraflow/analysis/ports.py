"""Ports of a node: inputs and outputs of a node's or operator's keys, as the graph wants them.

Every port gets the spans of its id, its source and its annotation. Nothing here looks at another node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.ir import Input, Output
from doraflow.parser.sources import parse_source
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.keys import InputOptions, PortKeys

_OUTPUT_SETTINGS = ("output_types", "output_framing", "output_metadata")


def read_inputs(keys: PortKeys, syntax: MappingNode, prefix: str, sink: Sink) -> tuple[Input, ...]:
    """Read the inputs; one whose source is malformed is reported and left out. `prefix` is `operator/` or empty."""
    _check_declared("input", "input_types", keys.inputs, syntax, sink)
    inputs = syntax.get("inputs")
    types = syntax.get("input_types")
    read = []
    for name, options in keys.inputs.items():
        spot = _input_spans(inputs, name, syntax.span)
        source = parse_source(options.source, spot[1], sink)
        if source is None:
            continue
        read.append(
            Input(
                id=prefix + name,
                source=source,
                span=spot[0],
                source_span=spot[1],
                queue_span=_queue_span(inputs, name),
                type_name=keys.input_types.get(name),
                type_span=_value_span(types, name),
                input_timeout=options.input_timeout,
                **_queue(options),  # type: ignore[arg-type]
            )
        )
    return tuple(read)


def read_outputs(keys: PortKeys, syntax: MappingNode, prefix: str, sink: Sink) -> tuple[Output, ...]:
    """Read the outputs; a second one of the same id is reported and left out."""
    for setting in _OUTPUT_SETTINGS:
        _check_declared("output", setting, keys.outputs, syntax, sink)
    types = syntax.get("output_types")
    first: dict[str, Span] = {}
    read = []
    for position, name in enumerate(keys.outputs):
        span = _item_span(syntax.get("outputs"), position, syntax.span)
        if name in first:
            _tell_twice(name, span, first[name], sink)
            continue
        first[name] = span
        read.append(
            Output(
                id=prefix + name,
                span=span,
                type_name=keys.output_types.get(name),
                type_span=_value_span(types, name),
                framing=keys.output_framing.get(name, "raw"),
                metadata_keys=keys.output_metadata.get(name, ()),
            )
        )
    return tuple(read)


def _queue(options: InputOptions) -> dict[str, object]:
    given = {"queue_size": options.queue_size, "queue_policy": options.queue_policy}
    return {key: value for key, value in given.items() if value is not None}


def _tell_twice(name: str, span: Span, first: Span, sink: Sink) -> None:
    sink.error(
        "DF202",
        f"the output `{name}` is listed twice; the second adds nothing",
        span,
        related=[Label(first, "listed here first")],
        help="to keep one output, remove this line",
    )


def _check_declared(kind: str, setting: str, declared: Iterable[str], syntax: MappingNode, sink: Sink) -> None:
    settings = syntax.get(setting)
    if not isinstance(settings, MappingNode):
        return
    known = list(declared)
    for entry in settings.entries:
        name = entry.key.text
        if name in known:
            continue
        near = nearest(name, known)
        sink.error(
            "DF206",
            f"`{setting}` names `{name}`, which is no {kind} of this node; its {kind}s are {choices_text(name, known)}",
            entry.key.span,
            help=f"to mean the closest {kind}, write `{near[0]}`" if near else f"add `{name}` to `{kind}s`",
        )


def _input_spans(inputs: object, name: str, fallback: Span) -> tuple[Span, Span]:
    """Find the places of an input's id and of its source text."""
    if not isinstance(inputs, MappingNode):
        return fallback, fallback
    key = inputs.key_span(name) or fallback
    value = inputs.get(name)
    if isinstance(value, MappingNode):
        value = value.get("source")
    return key, value.span if value is not None else key


def _queue_span(inputs: object, name: str) -> Span | None:
    value = inputs.get(name) if isinstance(inputs, MappingNode) else None
    if not isinstance(value, MappingNode):
        return None
    setting = value.get("queue_policy") or value.get("queue_size")
    return setting.span if setting is not None else None


def _value_span(mapping: object, name: str) -> Span | None:
    value = mapping.get(name) if isinstance(mapping, MappingNode) else None
    return value.span if isinstance(value, ScalarNode) else None


def _item_span(sequence: object, position: int, fallback: Span) -> Span:
    if isinstance(sequence, SequenceNode) and position < len(sequence.items):
        return sequence.items[position].span
    return fallback
