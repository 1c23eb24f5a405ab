"""Type annotations looked up: what ports and type rules name, as far as the library knows it.

Whether the two ends of an edge fit is for `doraflow.analysis.types`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from doraflow.analysis.type_names import TypeName, parse_type_name
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph, Input, Output


Names: TypeAlias = "dict[tuple[str, str], TypeName | None]"


@dataclass(frozen=True, slots=True)
class Annotations:
    """The types of annotated ports, by node and port; None where what is written there was reported."""

    inputs: Names = field(default_factory=dict)
    outputs: Names = field(default_factory=dict)


def read_annotations(graph: Graph, library: TypeLibrary, sink: Sink) -> Annotations:
    """Look up the annotations of all ports; what cannot be looked up is reported."""
    found = Annotations()
    for node in graph.nodes:
        _read_ports(node.id, node.inputs, found.inputs, library, sink)
        _read_ports(node.id, node.outputs, found.outputs, library, sink)
    return found


def _read_ports(
    node: str, ports: tuple[Input, ...] | tuple[Output, ...], names: Names, library: TypeLibrary, sink: Sink
) -> None:
    for port in ports:
        if port.type_name is not None:
            names[node, port.id] = _look_up(port.type_name, port.type_span or port.span, library, sink)


def read_rules(graph: Graph, library: TypeLibrary, sink: Sink) -> Iterator[tuple[str, str]]:
    """Look up the types of the user's rules; a rule that names an unknown type is reported and left out."""
    for rule in graph.type_rules:
        source = _look_up(rule.source, rule.source_span or rule.span, library, sink)
        target = _look_up(rule.target, rule.target_span or rule.span, library, sink)
        for name, text, span in ((source, rule.source, rule.source_span), (target, rule.target, rule.target_span)):
            if name is not None and name.parameters:
                message = f"`{text}` has parameters, and a type rule holds whatever they are"
                sink.error("DF303", message, span or rule.span, help=f"write `{name.base}`", replacement=name.base)
        if source is not None and target is not None:
            yield source.base, target.base


def _look_up(text: str, span: Span, library: TypeLibrary, sink: Sink) -> TypeName | None:
    name = parse_type_name(text)
    if name is None:
        sink.error(
            "DF303",
            f"`{text}` is no type name",
            span,
            help="write a name such as `std/media/v1/Image` or `std/media/v1/AudioFrame[sample_type=f32]`",
        )
        return None
    if name.base not in library.types:
        _tell_unknown(name, span, library, sink)
        return None
    _check_parameters(name, span, library, sink)
    return name


def _check_parameters(name: TypeName, span: Span, library: TypeLibrary, sink: Sink) -> None:
    """Warn of parameters that the type does not have: they fit anything, a misspelt one too."""
    known = library.parameters.get(name.base, ())
    unknown = [key for key, _ in name.parameters if key not in known]
    if not unknown:
        return
    near = nearest(unknown[0], known)
    has = f"its parameters are {choices_text(unknown[0], known)}" if known else "it has none"
    sink.warning(
        "DF306",
        f"`{name.base}` has no parameter `{unknown[0]}`, so it keeps nothing apart; {has}",
        span,
        help=f"write `{near[0]}`" if near else f"remove `{unknown[0]}`, or add it to the `params` of the type",
    )


def _tell_unknown(name: TypeName, span: Span, library: TypeLibrary, sink: Sink) -> None:
    base = name.base
    short = library.ending_in(base)
    if short:
        message = f"`{base}` is short for {choices_text(base, short)}; a type is named in full here"
        exact = None if name.parameters or len(short) > 1 else short[0]
        sink.error("DF301", message, span, help=f"write `{short[0]}`", replacement=exact)
        return
    near = library.near(base)
    sink.error(
        "DF301",
        f"there is no type `{base}`",
        span,
        help=f"to use the closest type, write `{near[0]}`"
        if near
        else "define it in a file under `types/` beside the dataflow, or remove the annotation",
        replacement=near[0] if near and not name.parameters else None,
    )
