"""Types on edges: each annotation looked up, each edge checked, and what one side says inferred for the other.

One cause is one finding: an edge with an annotation that could not be looked up is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from doraflow.analysis.annotations import read_annotations, read_rules
from doraflow.analysis.compatibility import Compatibility, compatibility, difference
from doraflow.analysis.inference import infer
from doraflow.analysis.standard_types import TIMER_TYPE
from doraflow.analysis.type_names import TypeName
from doraflow.diagnostics import Label
from doraflow.ir import Timer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.analysis.annotations import Annotations
    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink
    from doraflow.ir import Edge, Graph, Input, Node, Output

Ports: TypeAlias = "Mapping[tuple[str, str], Input]"


@dataclass(frozen=True, slots=True)
class _Check:
    """What the checks of single edges share."""

    graph: Graph
    library: TypeLibrary
    annotations: Annotations
    rules: Compatibility
    sink: Sink


def check_types(graph: Graph, *, library: TypeLibrary, sink: Sink) -> Graph:
    """Check all annotations and edges; return the graph with `data_type` filled in wherever a type is known."""
    annotations = read_annotations(graph, library, sink)
    rules = compatibility(read_rules(graph, library, sink))
    check = _Check(graph, library, annotations, rules, sink)
    inputs = {(node.id, port.id): port for node in graph.nodes for port in node.inputs}
    outputs = {(node.id, port.id): port for node in graph.nodes for port in node.outputs}
    for edge in graph.edges:
        _check_edge(edge, inputs[edge.consumer, edge.input], outputs[edge.producer, edge.output], check)
    for (node, _), port in inputs.items():
        if isinstance(port.source, Timer):
            _check_timer(node, port, check)
    known = infer(graph.edges, annotations)
    return replace(graph, nodes=tuple(_typed(node, known, library) for node in graph.nodes))


def _check_edge(edge: Edge, port: Input, output: Output, check: _Check) -> None:
    sent = check.annotations.outputs.get((edge.producer, edge.output))
    expected = check.annotations.inputs.get((edge.consumer, edge.input))
    if expected is None:
        return
    if sent is None:
        if check.graph.strict_types and output.type_name is None:
            _tell_missing(edge, port, output, check.sink)
    elif not check.rules.fits(sent, expected):
        _tell_mismatch(edge, port, output, check, sent, expected)


def _tell_missing(edge: Edge, port: Input, output: Output, sink: Sink) -> None:
    sink.error(
        "DF304",
        f"`{edge.consumer}` expects `{port.type_name}` on `{edge.input}`, but `{edge.producer}` does not say what "
        f"`{edge.output}` is, which `strict_types` demands",
        port.type_span,
        label=f"`{edge.input}` reads `{edge.producer}/{edge.output}`",
        related=[Label(output.span, "the output is declared here")],
        help=f"add `{edge.output}: {port.type_name}` to the `output_types` of `{edge.producer}`",
    )


def _tell_mismatch(edge: Edge, port: Input, output: Output, check: _Check, sent: TypeName, expected: TypeName) -> None:
    library = check.library
    apart = difference(library.data_type(sent.base), library.data_type(expected.base))
    check.sink.error(
        "DF302",
        f"`{edge.consumer}` expects `{port.type_name}` on `{edge.input}`, but `{edge.producer}` sends "
        f"`{output.type_name}`",
        port.type_span,
        label=f"`{edge.input}` reads `{edge.producer}/{edge.output}`",
        related=[Label(output.type_span or output.span, f"`{edge.producer}/{edge.output}` is declared here")],
        notes=[apart] if apart else [],
        help=f"write `{output.type_name}` here, or read another output",
    )


def _check_timer(node: str, port: Input, check: _Check) -> None:
    expected = check.annotations.inputs.get((node, port.id))
    if expected is None or check.rules.fits(TypeName(TIMER_TYPE), expected):
        return
    check.sink.error(
        "DF302",
        f"`{node}` expects `{port.type_name}` on `{port.id}`, but a timer sends `{TIMER_TYPE}`",
        port.type_span,
        related=[Label(port.source_span, "the timer is here")],
        help=f"write `{TIMER_TYPE}` here, or remove the annotation",
    )


def _typed(node: Node, known: Annotations, library: TypeLibrary) -> Node:
    def of_input(port: Input) -> Input:
        name = known.inputs.get((node.id, port.id))
        if name is None and isinstance(port.source, Timer) and port.type_name is None:
            name = TypeName(TIMER_TYPE)
        return replace(port, data_type=library.data_type(name.base)) if name else port

    def of_output(port: Output) -> Output:
        name = known.outputs.get((node.id, port.id))
        return replace(port, data_type=library.data_type(name.base)) if name else port

    return replace(
        node,
        inputs=tuple(of_input(port) for port in node.inputs),
        outputs=tuple(of_output(port) for port in node.outputs),
    )
