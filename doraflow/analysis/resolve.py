"""References to edges: every input that names a node's output, or why it cannot.

One wrong reference is one diagnostic; the edge is then left out and the passes go on with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.ir import Edge, PortReference
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Input, Node


def resolve(nodes: Sequence[Node], sink: Sink) -> tuple[Edge, ...]:
    """Connect the inputs of `nodes` to the outputs they name, in the order of the file."""
    by_id = {node.id: node for node in nodes}
    exits = {node.id: _exits(node) for node in nodes}
    edges = []
    for node in nodes:
        for port in node.inputs:
            if not isinstance(port.source, PortReference):
                continue
            output = _find(port.source, node, port, by_id, exits, sink)
            if output is not None:
                edges.append(Edge(port.source.node, output, node.id, port.id, port.source_span))
    return tuple(edges)


def _exits(node: Node) -> dict[str, str]:
    """Map each name under which an output can be read to the output's id.

    The outputs of a node's only operator are also read without the operator's name.
    """
    named = {output.id: output.id for output in node.outputs}
    if len(node.operators) == 1:
        prefix = f"{node.operators[0].id}/"
        named.update({name.removeprefix(prefix): name for name in list(named) if name.startswith(prefix)})
        named.update({f"op/{name.removeprefix(prefix)}": name for name in list(named.values())})
    return named


def _find(
    wanted: PortReference,
    reader: Node,
    port: Input,
    by_id: Mapping[str, Node],
    exits: Mapping[str, Mapping[str, str]],
    sink: Sink,
) -> str | None:
    producer = by_id.get(wanted.node)
    if producer is None:
        _tell_unknown_node(wanted, reader, port, tuple(by_id), sink)
        return None
    output = exits[producer.id].get(wanted.port)
    if output is None and not _tell_unknown_operator(wanted, producer, port, sink):
        _tell_unknown_output(wanted, reader, producer, port, sink)
    return output


def _tell_unknown_node(wanted: PortReference, reader: Node, port: Input, known: Sequence[str], sink: Sink) -> None:
    near = nearest(wanted.node, known)
    sink.error(
        "DF203",
        f"there is no node `{wanted.node}`; the nodes are {choices_text(wanted.node, known)}",
        port.source_span,
        label=f"read by `{reader.id}`",
        help=f"to read from the closest node, write `{near[0]}/{wanted.port}`" if near else None,
    )


def _tell_unknown_operator(wanted: PortReference, producer: Node, port: Input, sink: Sink) -> bool:
    """Report a reference whose operator does not exist; False where the operator is not what is wrong."""
    operators = [operator.id for operator in producer.operators]
    name, slash, rest = wanted.port.partition("/")
    if len(operators) < 2 or name in operators:
        return False
    near = nearest(name, operators)
    if slash:
        message = f"`{producer.id}` has no operator `{name}`; its operators are {choices_text(name, operators)}"
        mend = f"to read from the closest operator, write `{producer.id}/{near[0]}/{rest}`" if near else None
    else:
        message = f"`{wanted}` names no operator, and `{producer.id}` has {len(operators)}: " + choices_text(
            name, operators
        )
        mend = f"write `{producer.id}/OPERATOR/{name}` with one of them"
    sink.error("DF205", message, port.source_span, related=[Label(producer.span, "the node is here")], help=mend)
    return True


def _tell_unknown_output(wanted: PortReference, reader: Node, producer: Node, port: Input, sink: Sink) -> None:
    outputs = [_short(output.id, producer) for output in producer.outputs]
    near = nearest(wanted.port, outputs)
    declared = ", ".join(f"`{name}`" for name in outputs)
    if near:
        mend = f"to read the closest output, write `{producer.id}/{near[0]}`"
    else:
        mend = f"add `{wanted.port}` to the outputs of `{producer.id}`" + (
            ", or read one of its own" if outputs else ""
        )
    sink.error(
        "DF204",
        f"`{producer.id}` has no output `{wanted.port}`",
        port.source_span,
        label=f"read by `{reader.id}`",
        related=[Label(producer.span, f"declares {declared}" if declared else "declares no outputs")],
        help=mend,
    )


def _short(output: str, producer: Node) -> str:
    return output.partition("/")[2] if len(producer.operators) == 1 else output
