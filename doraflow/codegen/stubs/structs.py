"""Struct types as generated dataclasses: which there are, and the code of each member.

What a class is called is decided in `doraflow.codegen.stubs.class_names`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.codegen.layout import call
from doraflow.codegen.literals import literal
from doraflow.codegen.names import unique, variable_name
from doraflow.codegen.stubs.class_names import binary_member
from doraflow.codegen.stubs.scalars import BINARY, SCALAR_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow_runtime.contract import DataType, Field

    from doraflow.codegen.stubs.class_names import ClassNames
    from doraflow.ir import Graph

_IMAGE = "std/media/v1/Image"
_METHODS = ("arrow_type", "to_arrow", "from_arrow")
_ANNOTATIONS = ("Any", "Sequence", "bool", "bytes", "classmethod", "float", "int", "memoryview", "pa", "str", "tuple")
_PARAMETERS = ("self", "size", "metadata", "others")


@dataclass(frozen=True, slots=True)
class MemberCode:
    """A member of a struct: its name in Arrow, its attribute and type in Python, and the code about it.

    `arrow` is its line in the Arrow type, `write` the one that makes its column, `read` the one that takes the column
    apart. `parameter` is what it is called when a row is loaned.
    """

    name: str
    attribute: str
    parameter: str
    python: str
    arrow: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class StructCode:
    """A struct as a dataclass."""

    name: str
    urn: str
    members: tuple[MemberCode, ...]


@dataclass(frozen=True, slots=True)
class LoanCode:
    """The output of a struct with one binary member, which is written in place; `others` are the other members.

    `base` is its class in the runtime.
    """

    name: str
    base: str
    row: str
    member: str
    others: tuple[MemberCode, ...]


def struct_types(graph: Graph) -> tuple[Struct, ...]:
    """List the structs that the ports of a graph use, inner ones first, each once."""
    found: dict[str, Struct] = {}
    for node in graph.nodes:
        types = [*(port.data_type for port in node.inputs), *(port.data_type for port in node.outputs)]
        found.update((struct.urn, struct) for kind in types if kind is not None for struct in _inside(kind))
    return tuple(found.values())


def struct_code(struct: Struct, names: ClassNames) -> StructCode:
    """Write the code of a struct's members."""
    reserved = (*_METHODS, *_ANNOTATIONS, *names.rows.values())
    attributes = unique(variable_name(field.name, reserved) for field in struct.fields)
    parameters = unique(f"{name}_" if name in _PARAMETERS else name for name in attributes)
    members = tuple(
        _member(field, attribute, parameter, f"columns[{position}]", names.rows)
        for position, (field, attribute, parameter) in enumerate(
            zip(struct.fields, attributes, parameters, strict=True)
        )
    )
    return StructCode(names.rows[struct.urn], struct.urn, members)


def loan_code(struct: Struct, names: ClassNames) -> LoanCode | None:
    """Tell how a row of a struct is loaned; None unless exactly one member is binary."""
    binary = binary_member(struct)
    if binary is None:
        return None
    code = struct_code(struct, names)
    others = tuple(member for member in code.members if member.name != binary)
    base = "PictureOutput" if struct.urn == _IMAGE else "StructOutput"
    return LoanCode(names.outputs[struct.urn], base, code.name, binary, others)


def _inside(data_type: DataType) -> Iterator[Struct]:
    if isinstance(data_type, ListOf):
        yield from _inside(data_type.item)
    elif isinstance(data_type, Struct):
        for field in data_type.fields:
            yield from _inside(field.type)
        yield data_type


def _member(field: Field, attribute: str, parameter: str, column: str, rows: Mapping[str, str]) -> MemberCode:
    return MemberCode(
        name=field.name,
        attribute=attribute,
        parameter=parameter,
        python=_python(field.type, rows),
        arrow=call("pa.field", [literal(field.name), _arrow(field.type, rows)], 16, tail=","),
        write=_write(field.type, attribute, rows),
        read=_read(field.type, column, rows),
    )


def _write(kind: DataType, attribute: str, rows: Mapping[str, str]) -> str:
    """Write the line that makes the column of a member from `items`."""
    each = f"item.{attribute} for item in items"
    match kind:
        case Scalar(name) if name in BINARY:
            head, arguments = "rows.binary_column", [f"({each})", _arrow(kind, rows)]
        case Scalar():
            head, arguments = "pa.array", [f"[{each}]", _arrow(kind, rows)]
        case Struct(urn):
            head, arguments = f"{rows[urn]}.to_arrow", [f"[{each}]"]
        case ListOf(Struct(urn)):
            head, arguments = "rows.row_lists", [f"({each})", f"{rows[urn]}.to_arrow", f"{rows[urn]}.arrow_type()"]
        case ListOf(item):
            head, arguments = "rows.list_column", [f"({each})", _arrow(item, rows)]
    return call(head, arguments, 16, tail=",")


def _read(kind: DataType, column: str, rows: Mapping[str, str]) -> str:
    """Write the line that gives the values of a member from its column."""
    match kind:
        case Scalar(name) if name in BINARY:
            return f"rows.binaries({column}),"
        case Scalar():
            return f"rows.values({column}),"
        case Struct(urn):
            return f"{rows[urn]}.from_arrow({column}),"
        case ListOf(Struct(urn)):
            return f"[{rows[urn]}.from_arrow(part) for part in rows.lists({column})],"
        case ListOf():
            return f"rows.lists({column}),"


def _arrow(kind: DataType, rows: Mapping[str, str]) -> str:
    match kind:
        case Scalar(name):
            return SCALAR_CODE[name].make
        case ListOf(item):
            return f"pa.large_list({_arrow(item, rows)})"
        case Struct(urn):
            return f"{rows[urn]}.arrow_type()"


def _python(kind: DataType, rows: Mapping[str, str]) -> str:
    match kind:
        case Scalar(name):
            return SCALAR_CODE[name].python
        case Struct(urn):
            return rows[urn]
        case ListOf(Struct(urn)):
            return f"Sequence[{rows[urn]}]"
        case ListOf(Scalar(name)) if name not in BINARY:
            return f"{SCALAR_CODE[name].array} | Sequence[{SCALAR_CODE[name].python}]"
        case ListOf():
            return "pa.Array[Any] | Sequence[Any]"
