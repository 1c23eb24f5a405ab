"""Types on edges: each annotation looked up, each edge checked, and what one side says inferred for the other.

One cause is one finding: an edge with an annotation that could not be looked up is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.analysis.annotations import read_annotations, read_rules
from doraflow.analysis.compatibility import Compatibility, compatibility, difference
from doraflow.analysis.inference import infer
from doraflow.analysis.ports import written_id
from doraflow.analysis.standard_types import TIMER_TYPE
from doraflow.analysis.type_names import TypeName
from doraflow.diagnostics import Label
from doraflow.ir import Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.analysis.annotations import Annotations
    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Input, Node, Output


@dataclass(frozen=True, slots=True)
class _Check:
    """What the checks of single edges share."""

    graph: Graph
    library: TypeLibrary
    annotations: Annotations
    rules: Compatibility
    sink: Sink


@dataclass(frozen=True, slots=True)
class _Ends:
    """An edge for messages: `entry` and `output` are the ports, `read` and `sent` their ids as users write them."""

    consumer: str
    entry: Input
    read: str
    producer: str
    output: Output
    sent: str


def check_types(graph: Graph, *, library: TypeLibrary, sink: Sink) -> Graph:
    """Check all annotations and edges; return the graph with `data_type` filled in wherever a type is known."""
    annotations = read_annotations(graph, library, sink)
    rules = compatibility(read_rules(graph, library, sink))
    check = _Check(graph, library, annotations, rules, sink)
    for ends in _edges(graph):
        _check_edge(ends, check)
    for node in graph.nodes:
        for port in node.inputs:
            if isinstance(port.source, Timer):
                _check_timer(node, port, check)
    known = infer(graph.edges, annotations)
    return replace(graph, nodes=tuple(_typed(node, known, library) for node in graph.nodes))


def _edges(graph: Graph) -> Iterator[_Ends]:
    nodes = {node.id: node for node in graph.nodes}
    inputs = {(node.id, port.id): port for node in graph.nodes for port in node.inputs}
    outputs = {(node.id, port.id): port for node in graph.nodes for port in node.outputs}
    for edge in graph.edges:
        yield _Ends(
            edge.consumer,
            inputs[edge.consumer, edge.input],
            written_id(nodes[edge.consumer], edge.input),
            edge.producer,
            outputs[edge.producer, edge.output],
            written_id(nodes[edge.producer], edge.output),
        )


def _check_edge(ends: _Ends, check: _Check) -> None:
    sent = check.annotations.outputs.get((ends.producer, ends.output.id))
    expected = check.annotations.inputs.get((ends.consumer, ends.entry.id))
    if expected is None:
        return
    if sent is None:
        if check.graph.strict_types and ends.output.type_name is None:
            _tell_missing(ends, check.sink)
    elif not check.rules.fits(sent, expected):
        types = (check.library.data_type(sent.base), check.library.data_type(expected.base))
        _tell_mismatch(ends, difference(*types), check.sink)


def _tell_missing(ends: _Ends, sink: Sink) -> None:
    sink.error(
        "DF304",
        f"`{ends.consumer}` expects `{ends.entry.type_name}` on `{ends.read}`, but `{ends.producer}` gives no type for "
        f"`{ends.sent}`, as `strict_types` demands",
        ends.entry.type_span,
        label=f"`{ends.read}` reads `{ends.producer}/{ends.sent}`",
        related=[Label(ends.output.span, "the output is declared here")],
        help=f"add `{ends.sent}: {ends.entry.type_name}` to the `output_types` of `{ends.producer}`",
    )


def _tell_mismatch(ends: _Ends, apart: str | None, sink: Sink) -> None:
    sink.error(
        "DF302",
        f"`{ends.consumer}` expects `{ends.entry.type_name}` on `{ends.read}`, but `{ends.producer}` sends "
        f"`{ends.output.type_name}`",
        ends.entry.type_span,
        label=f"`{ends.read}` reads `{ends.producer}/{ends.sent}`",
        related=[Label(ends.output.type_span or ends.output.span, f"`{ends.producer}/{ends.sent}` is declared here")],
        notes=[apart] if apart else [],
        help=f"write `{ends.output.type_name}` here, or read another output",
    )


def _check_timer(node: Node, port: Input, check: _Check) -> None:
    expected = check.annotations.inputs.get((node.id, port.id))
    if expected is None or check.rules.fits(TypeName(TIMER_TYPE), expected):
        return
    check.sink.error(
        "DF302",
        f"`{node.id}` expects `{port.type_name}` on `{written_id(node, port.id)}`, but a timer sends `{TIMER_TYPE}`",
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
