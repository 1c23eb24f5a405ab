"""A node's stub as data: its events, its outputs, and the names that its module needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.codegen.names import class_name, unique, variable_name
from doraflow.codegen.stubs.scalars import BINARY, SCALAR_CODE
from doraflow.codegen.stubs.structs import arrow_code, loan_code
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.contract import DataType

    from doraflow.ir import Graph, Input, Node, Output

_RESERVED = ("Event", "InputClosed", "Outputs", "Stop", "TypedNode", "Metadata", "Node", "Any", "TypeAlias")
_ANY_ARRAY = "pa.Array[Any]"


@dataclass(frozen=True, slots=True)
class EventCode:
    """An input as an event class; `row` is its struct's class, `make` the expression that makes the event."""

    name: str
    input: str
    title: str
    fields: tuple[tuple[str, str], ...]
    row: str | None
    make: str


@dataclass(frozen=True, slots=True)
class OutputCode:
    """An output as an attribute; `runtime_name` is the class it needs from the runtime, if it does."""

    name: str
    make: str
    runtime_name: str | None
    type_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeCode:
    """A node's module."""

    id: str
    name: str
    events: tuple[EventCode, ...]
    outputs: tuple[OutputCode, ...]
    union: str
    runtime_names: tuple[str, ...]
    type_names: tuple[str, ...]
    exported: tuple[str, ...]
    uses_any: bool
    uses_pyarrow: bool
    uses_pyarrow_at_run_time: bool


def node_code(graph: Graph, node: Node, names: Mapping[str, str]) -> NodeCode:
    """Describe the stub of a node; `names` are the classes of the structs by URN."""
    sent = {(edge.consumer, edge.input): _sent_type(graph, edge.producer, edge.output) for edge in graph.edges}
    titles = unique(
        (f"{class_name(port.id)}Event" for port in node.inputs), taken=(*_RESERVED, *names.values()), mark=""
    )
    events = tuple(
        _event(port, title, sent.get((node.id, port.id)), names)
        for port, title in zip(node.inputs, titles, strict=True)
    )
    attributes = unique(variable_name(port.id) for port in node.outputs)
    outputs = tuple(_output(port, name, names) for port, name in zip(node.outputs, attributes, strict=True))
    wanted = class_name(node.id)
    taken = {*_RESERVED, *titles, *names.values()}
    types = {*(event.row for event in events if event.row), *(name for out in outputs for name in out.type_names)}
    text = " ".join([*(kind for event in events for _, kind in event.fields), *(event.make for event in events)])
    making = " ".join([*(out.make for out in outputs), *(event.make for event in events)])
    name = unique([f"{wanted}Node" if wanted in taken else wanted], taken=taken, mark="")[0]
    return NodeCode(
        id=node.id,
        name=name,
        events=events,
        outputs=outputs,
        union=" | ".join([*titles, "InputClosed", "Stop"]),
        runtime_names=_runtime_names(events, outputs),
        type_names=tuple(sorted(types)),
        exported=tuple(sorted({name, "Event", "InputClosed", "Outputs", "Stop", *titles, *types})),
        uses_any="Any" in text,
        uses_pyarrow="pa." in text or "pa." in making,
        uses_pyarrow_at_run_time="pa." in making,
    )


def _sent_type(graph: Graph, node: str, output: str) -> DataType | None:
    return next(port.data_type for port in graph.node(node).outputs if port.id == output)


def _event(port: Input, name: str, sent: DataType | None, names: Mapping[str, str]) -> EventCode:
    title = f"Input {port.id}: {port.source}"
    input_id = _quoted(port.id)
    if not isinstance(port.source, PortReference):
        return EventCode(name, port.id, title, (), None, f"lambda _, metadata: {name}(metadata)")
    match port.data_type:
        case Struct(urn) if sent is None or isinstance(sent, Struct):
            row = names[urn]
            make = f"lambda array, metadata: {name}(rows_of(array, {row}, {input_id}), metadata)"
            return EventCode(name, port.id, title, (("array", "pa.StructArray"),), row, make)
        case Scalar(scalar) if scalar not in BINARY or sent == port.data_type:
            code = SCALAR_CODE[scalar]
            make = f"lambda array, metadata: {name}(array_of(array, {code.make}, {input_id}), metadata)"
            return EventCode(name, port.id, title, (("value", code.array),), None, make)
    return EventCode(name, port.id, title, (("value", _ANY_ARRAY),), None, name)


def _output(port: Output, name: str, names: Mapping[str, str]) -> OutputCode:
    quoted = _quoted(port.id)
    match port.data_type:
        case Struct(urn) as struct:
            row = names[urn]
            if loan_code(struct, names):
                return OutputCode(name, f"{row}Output(node, {quoted}, {row})", None, (row, f"{row}Output"))
            return OutputCode(name, f"StructOutput(node, {quoted}, {row})", "StructOutput", (row,))
        case Scalar(scalar):
            return _scalar_output(name, quoted, scalar)
        case ListOf(item):
            kind = arrow_code(ListOf(item), names)
            return OutputCode(name, f"ScalarOutput[Any, Any](node, {quoted}, {kind})", "ScalarOutput", ())
    return OutputCode(name, f"ArrayOutput(node, {quoted})", "ArrayOutput", ())


def _scalar_output(name: str, quoted: str, scalar: str) -> OutputCode:
    code = SCALAR_CODE[scalar]
    if scalar in BINARY:
        return OutputCode(name, f"BytesOutput[{code.array}](node, {quoted}, {code.make})", "BytesOutput", ())
    if scalar == "UInt8":
        return OutputCode(name, f"ByteArrayOutput[{code.array}](node, {quoted}, {code.make})", "ByteArrayOutput", ())
    make = f"ScalarOutput[{code.array}, {code.python}](node, {quoted}, {code.make})"
    return OutputCode(name, make, "ScalarOutput", ())


def _runtime_names(events: tuple[EventCode, ...], outputs: tuple[OutputCode, ...]) -> tuple[str, ...]:
    names = {"InputClosed", "Stop", "TypedNode", "require_contract"}
    names |= {output.runtime_name for output in outputs if output.runtime_name}
    names |= {word for word in ("array_of", "rows_of") if any(word in event.make for event in events)}
    names |= {"only"} if any(event.row for event in events) else set()
    # ruff sorts the names of an import by case first: constants, classes, functions
    return tuple(sorted(names, key=lambda name: (name[0].islower(), name)))


def _quoted(text: str) -> str:
    return f'"{text}"'
