"""Types on edges: each annotation looked up, each edge checked, and what one side says inferred for the other.

One cause is one finding: an edge with an annotation that could not be looked up is not judged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from doraflow.analysis.compatibility import Compatibility, compatibility
from doraflow.analysis.standard_types import TIMER_TYPE
from doraflow.analysis.type_names import TypeName, parse_type_name
from doraflow.diagnostics import Label
from doraflow.ir import Timer
from doraflow.parser.suggest import choices_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Edge, Graph, Input, Node, Output

Names: TypeAlias = "dict[tuple[str, str], TypeName]"
"""The types known so far, by node and port."""


def check_types(graph: Graph, library: TypeLibrary, sink: Sink) -> Graph:
    """Check all annotations and edges; return the graph with `data_type` filled in wherever a type is known."""
    sent: Names = {}
    expected: Names = {}
    unusable: set[tuple[str, str]] = set()
    for node in graph.nodes:
        _look_up(node.id, node.outputs, library, sent, unusable, sink)
        _look_up(node.id, node.inputs, library, expected, unusable, sink)
    rules = compatibility(_rule_bases(graph, library, sink))
    ports = {(node.id, port.id): port for node in graph.nodes for port in node.inputs}
    exits = {(node.id, port.id): port for node in graph.nodes for port in node.outputs}
    for edge in graph.edges:
        _check_edge(edge, ports, exits, sent, expected, rules, sink)
    for node in graph.nodes:
        _check_timers(node, expected, rules, sink)
    _infer(graph, sent, expected, unusable)
    return replace(graph, nodes=tuple(_typed(node, library, sent, expected) for node in graph.nodes))


def _look_up(
    node: str,
    ports: tuple[Input, ...] | tuple[Output, ...],
    library: TypeLibrary,
    names: Names,
    unusable: set[tuple[str, str]],
    sink: Sink,
) -> None:
    for port in ports:
        if port.type_name is None:
            continue
        name = _known(port.type_name, port.type_span or port.span, library, sink)
        if name is None:
            unusable.add((node, port.id))
        else:
            names[node, port.id] = name


def _known(text: str, span: Span, library: TypeLibrary, sink: Sink) -> TypeName | None:
    name = parse_type_name(text)
    if name is None:
        sink.error(
            "DF303",
            f"`{text}` is no type name",
            span,
            help="write a name such as `std/media/v1/Image` or `std/media/v1/AudioFrame[sample_type=f32]`",
        )
        return None
    urn = library.find(name.base)
    if urn is None:
        _tell_unknown(text, name, span, library, sink)
        return None
    return TypeName(urn, name.parameters) if library.data_type(urn) is not None else None


def _tell_unknown(text: str, name: TypeName, span: Span, library: TypeLibrary, sink: Sink) -> None:
    several = library.by_short_name.get(name.base, ())
    if several:
        listed = choices_text(name.base, several)
        sink.error(
            "DF301", f"`{text}` is short for several types: {listed}", span, help=f"write `{several[0]}` in full"
        )
        return
    near = library.near(text)
    sink.error(
        "DF301",
        f"there is no type `{text}`" + ("" if near else "; the standard types stand in the language reference"),
        span,
        help=f"to use the closest type, write `{near[0]}`"
        if near
        else "define it in a file under `types/` beside the dataflow, or remove the annotation",
    )


def _rule_bases(graph: Graph, library: TypeLibrary, sink: Sink) -> list[tuple[str, str]]:
    pairs = []
    for rule in graph.type_rules:
        source, target = (_known(text, rule.span, library, sink) for text in (rule.source, rule.target))
        if source is not None and target is not None:
            pairs.append((source.base, target.base))
    return pairs


def _check_edge(
    edge: Edge,
    ports: Mapping[tuple[str, str], Input],
    exits: Mapping[tuple[str, str], Output],
    sent: Names,
    expected: Names,
    rules: Compatibility,
    sink: Sink,
) -> None:
    given = sent.get((edge.producer, edge.output))
    wanted = expected.get((edge.consumer, edge.input))
    if given is None or wanted is None or rules.fits(given, wanted):
        return
    port, output = ports[edge.consumer, edge.input], exits[edge.producer, edge.output]
    sink.error(
        "DF302",
        f"`{edge.consumer}` expects `{port.type_name}` on `{edge.input}`, but `{edge.producer}` sends "
        f"`{output.type_name}`",
        port.type_span,
        label=f"`{edge.input}` reads `{edge.producer}/{edge.output}`",
        related=[Label(output.type_span or output.span, f"`{edge.producer}/{edge.output}` is declared here")],
        help=f"write `{output.type_name}` here, or read another output",
    )


def _check_timers(node: Node, expected: Names, rules: Compatibility, sink: Sink) -> None:
    tick = TypeName(TIMER_TYPE)
    for port in node.inputs:
        wanted = expected.get((node.id, port.id))
        if isinstance(port.source, Timer) and wanted is not None and not rules.fits(tick, wanted):
            sink.error(
                "DF302",
                f"`{node.id}` expects `{port.type_name}` on `{port.id}`, but a timer sends `{TIMER_TYPE}`",
                port.type_span,
                related=[Label(port.source_span, "the timer is here")],
                help=f"write `{TIMER_TYPE}` here, or remove the annotation",
            )


def _infer(graph: Graph, sent: Names, expected: Names, unusable: set[tuple[str, str]]) -> None:
    """Carry a type over each edge of which only one end is annotated; an output takes it from its first reader."""
    for edge in graph.edges:
        start, end = (edge.producer, edge.output), (edge.consumer, edge.input)
        if start in unusable or end in unusable:
            continue
        if start in sent:
            expected.setdefault(end, sent[start])
        elif end in expected:
            sent[start] = expected[end]


def _typed(node: Node, library: TypeLibrary, sent: Names, expected: Names) -> Node:
    def input_type(port: Input) -> Input:
        name = TypeName(TIMER_TYPE) if isinstance(port.source, Timer) else expected.get((node.id, port.id))
        return replace(port, data_type=library.data_type(name.base)) if name else port

    def output_type(port: Output) -> Output:
        name = sent.get((node.id, port.id))
        return replace(port, data_type=library.data_type(name.base)) if name else port

    return replace(
        node,
        inputs=tuple(input_type(port) for port in node.inputs),
        outputs=tuple(output_type(port) for port in node.outputs),
    )
