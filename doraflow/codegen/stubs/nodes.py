"""A node's stub as data: its events, its outputs, and the names that its module needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import Scalar, Struct

from doraflow.codegen.layout import WIDTH, call, import_from, in_export_order, in_import_order, union
from doraflow.codegen.literals import literal
from doraflow.codegen.names import class_name, unique, variable_name
from doraflow.codegen.stubs.scalars import BINARY, NUMBERS, SCALAR_CODE
from doraflow.ir import PortReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doraflow_runtime.contract import DataType

    from doraflow.codegen.stubs.class_names import ClassNames
    from doraflow.ir import Graph, Input, Node, Output

_ANY_ARRAY = "pa.Array[Any]"
_ARRAY_EVENT = "ArrayEvent"
_NEWS = ("InputClosed", "InputRecovered", "NodeFailed", "NodeRestarted", "Stop")
"""The events that come without a message, in every node's union."""


@dataclass(frozen=True, slots=True)
class EventCode:
    """An input as an event class.

    `title` are the sentences of its docstring. `content` is the attribute that holds what came, with its type; None for
    a timer. `row` is the class of a struct's rows, `base` the class of what may be seen as numbers. `entry` is the
    input's line in the table of what makes events; it needs `reader` from the runtime.
    """

    name: str
    input: str
    title: tuple[str, ...]
    content: tuple[str, str] | None
    row: str | None
    entry: str
    reader: str | None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class OutputCode:
    """An output as the line that sets its attribute, with the classes that it needs from the runtime and `types.py`."""

    line: str
    runtime_class: str | None
    type_names: tuple[str, ...] = ()
    makes_type: bool = False


@dataclass(frozen=True, slots=True)
class NodeCode:
    """A node's module; `types_import` is its import from `types.py`, if there is one."""

    id: str
    name: str
    events: tuple[EventCode, ...]
    outputs: tuple[OutputCode, ...]
    union: str
    runtime_names: tuple[str, ...]
    types_import: str | None
    exported: tuple[str, ...]
    uses_any: bool
    uses_pyarrow: bool
    uses_pyarrow_at_run_time: bool


def sent_types(graph: Graph) -> dict[tuple[str, str], DataType | None]:
    """Give the type that is sent to each input that reads an output, by node and input."""
    outputs = {(node.id, port.id): port.data_type for node in graph.nodes for port in node.outputs}
    return {(edge.consumer, edge.input): outputs[edge.producer, edge.output] for edge in graph.edges}


def node_code(node: Node, sent: Mapping[tuple[str, str], DataType | None], names: ClassNames) -> NodeCode:
    """Describe the stub of a node; `sent` are the types that come on the inputs of the graph."""
    taken = names.taken()
    titles = unique((_event_name(port.id) for port in node.inputs), taken=taken, mark="")
    events = tuple(
        _event(port, title, sent.get((node.id, port.id)), names.rows)
        for port, title in zip(node.inputs, titles, strict=True)
    )
    attributes = unique(variable_name(port.id) for port in node.outputs)
    outputs = tuple(_output(port, name, names) for port, name in zip(node.outputs, attributes, strict=True))
    name = _node_name(node.id, (*taken, *titles))
    types = [*(event.row for event in events if event.row), *(name for out in outputs for name in out.type_names)]
    makes_types = any(event.reader == "array_reader" for event in events) or any(out.makes_type for out in outputs)
    return NodeCode(
        id=node.id,
        name=name,
        events=events,
        outputs=outputs,
        union=union("Event: TypeAlias = ", [*titles, *_NEWS]),
        runtime_names=_runtime_names(events, outputs),
        types_import=import_from(".types", types) if types else None,
        exported=in_export_order([name, "Event", *_NEWS, "Outputs", *titles, *types]),
        uses_any=any(event.content is not None and event.content[1] == _ANY_ARRAY for event in events),
        uses_pyarrow=makes_types or any(event.content for event in events),
        uses_pyarrow_at_run_time=makes_types,
    )


def _event_name(port: str) -> str:
    return class_name(port).rstrip("_") + "Event"


def _node_name(node: str, taken: Iterable[str]) -> str:
    wanted = class_name(node)
    return unique([f"{wanted}Node" if wanted in taken else wanted], taken=taken, mark="")[0]


def _event(port: Input, name: str, sent: DataType | None, rows: Mapping[str, str]) -> EventCode:
    """Describe an input. Where the type that is sent cannot become the one expected, the event has any array."""
    title, quoted = _title(port), literal(port.id)
    if not isinstance(port.source, PortReference):
        return EventCode(name, port.id, title, None, None, f"{quoted}: tick_reader({name}),", "tick_reader")
    match port.data_type:
        case Struct(urn) if sent is None or isinstance(sent, Struct):
            entry = call(f"{quoted}: rows_reader", [name, rows[urn], quoted], 16, tail=",")
            return EventCode(name, port.id, title, ("array", "pa.StructArray"), rows[urn], entry, "rows_reader")
        case Scalar(scalar) if scalar not in BINARY or sent == port.data_type:
            code = SCALAR_CODE[scalar]
            entry = call(f"{quoted}: array_reader", [name, code.make, quoted], 16, tail=",")
            base = _ARRAY_EVENT if scalar in NUMBERS else None
            return EventCode(name, port.id, title, ("value", code.array), None, entry, "array_reader", base)
    return EventCode(name, port.id, title, ("value", _ANY_ARRAY), None, f"{quoted}: {name},", None, _ARRAY_EVENT)


def _title(port: Input) -> tuple[str, ...]:
    together = f"Input {port.id}: {port.source}"
    return (together,) if len(together) < WIDTH - 11 else (f"Input {port.id}", f"Reads {port.source}")


def _output(port: Output, name: str, names: ClassNames) -> OutputCode:
    match port.data_type:
        case Struct(urn) if urn in names.outputs:
            row, lending = names.rows[urn], names.outputs[urn]
            return OutputCode(_assignment(name, lending, port, row), None, (row, lending))
        case Struct(urn):
            row = names.rows[urn]
            return OutputCode(_assignment(name, "StructOutput", port, row), "StructOutput", (row,))
        case Scalar(scalar):
            code = SCALAR_CODE[scalar]
            made, values = _scalar_class(scalar)
            head = f"{made}[{', '.join([code.array, *values])}]"
            return OutputCode(_assignment(name, head, port, code.make), made, makes_type=True)
    return OutputCode(_assignment(name, "ArrayOutput", port), "ArrayOutput")


def _scalar_class(scalar: str) -> tuple[str, tuple[str, ...]]:
    """Choose the class of an output, with the type of its Python values where the class leaves it open."""
    if scalar in BINARY:
        return "BytesOutput", ()
    if scalar == "UInt8":
        return "ByteArrayOutput", ()
    return "NumberOutput" if scalar in NUMBERS else "ScalarOutput", (SCALAR_CODE[scalar].python,)


def _assignment(name: str, made: str, port: Output, *arguments: str) -> str:
    return call(f"self.{name} = {made}", ["node", literal(port.id), *arguments], 8)


def _runtime_names(events: tuple[EventCode, ...], outputs: tuple[OutputCode, ...]) -> tuple[str, ...]:
    names = [*_NEWS, "TypedNode", "require_contract"]
    names += [output.runtime_class for output in outputs if output.runtime_class]
    names += [name for event in events for name in (event.reader, event.base) if name]
    names += ["only"] if any(event.row for event in events) else []
    return in_import_order(names)
