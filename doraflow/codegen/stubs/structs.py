"""Struct types as generated dataclasses: which there are, what they are called, and the code of each member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.codegen.names import class_name, unique, variable_name
from doraflow.codegen.stubs.scalars import BINARY, SCALAR_CODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doraflow_runtime.contract import DataType

    from doraflow.ir import Graph


@dataclass(frozen=True, slots=True)
class MemberCode:
    """A member of a struct: its Arrow name, its attribute, and the expressions that type, build, write and read it."""

    name: str
    attribute: str
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
    """A struct with one binary member, which can be written in place: that member, and the others."""

    name: str
    member: str
    others: tuple[MemberCode, ...]


def struct_types(graph: Graph) -> tuple[Struct, ...]:
    """List the structs that the ports of a graph use, inner ones first, each once."""
    found: dict[str, Struct] = {}
    for node in graph.nodes:
        types = [*(port.data_type for port in node.inputs), *(port.data_type for port in node.outputs)]
        found.update((struct.urn, struct) for kind in types if kind is not None for struct in _inside(kind))
    return tuple(found.values())


def struct_names(structs: Iterable[Struct]) -> dict[str, str]:
    """Name the class of each struct by its URN."""
    listed = tuple(structs)
    names = unique((class_name(struct.urn.rpartition("/")[2]) for struct in listed), mark="")
    return {struct.urn: name for struct, name in zip(listed, names, strict=True)}


def struct_code(struct: Struct, names: Mapping[str, str]) -> StructCode:
    """Write the code of a struct's members."""
    attributes = unique((variable_name(field.name) for field in struct.fields), taken=_METHODS)
    members = tuple(
        _member(field.name, attribute, position, field.type, names)
        for position, (field, attribute) in enumerate(zip(struct.fields, attributes, strict=True))
    )
    return StructCode(names[struct.urn], struct.urn, members)


def loan_code(struct: Struct, names: Mapping[str, str]) -> LoanCode | None:
    """Tell how a struct is loaned; None unless exactly one member is binary and no other is called like a setting."""
    code = struct_code(struct, names)
    binary = [field.name for field in struct.fields if isinstance(field.type, Scalar) and field.type.name in BINARY]
    others = tuple(member for member in code.members if member.name not in binary)
    if len(binary) != 1 or {"size", "metadata"} & {member.attribute for member in others}:
        return None
    return LoanCode(code.name, binary[0], others)


_METHODS = ("arrow_type", "to_arrow", "from_arrow")


def _inside(data_type: DataType) -> Iterator[Struct]:
    if isinstance(data_type, ListOf):
        yield from _inside(data_type.item)
    elif isinstance(data_type, Struct):
        for field in data_type.fields:
            yield from _inside(field.type)
        yield data_type


def _member(name: str, attribute: str, position: int, kind: DataType, names: Mapping[str, str]) -> MemberCode:
    given, column = f"(item.{attribute} for item in items)", f"columns[{position}]"
    match kind:
        case Scalar(scalar) if scalar in BINARY:
            write, read = f"rows.binary_column({given}, {arrow_code(kind, names)})", f"rows.binaries({column})"
        case Scalar():
            write, read = f"pa.array([{given[1:-1]}], {arrow_code(kind, names)})", f"rows.values({column})"
        case Struct(urn):
            write, read = f"{names[urn]}.to_arrow([{given[1:-1]}])", f"{names[urn]}.from_arrow({column})"
        case ListOf(Struct(urn)):
            row = names[urn]
            write = f"rows.row_lists({given}, {row}.to_arrow, {row}.arrow_type())"
            read = f"[{row}.from_arrow(part) for part in rows.lists({column})]"
        case ListOf(item):
            write, read = f"rows.list_column({given}, {arrow_code(item, names)})", f"rows.lists({column})"
    return MemberCode(name, attribute, _python(kind, names), arrow_code(kind, names), write, read)


def arrow_code(kind: DataType, names: Mapping[str, str]) -> str:
    """Write the expression that builds an Arrow type."""
    match kind:
        case Scalar(name):
            return SCALAR_CODE[name].make
        case ListOf(item):
            return f"pa.large_list({arrow_code(item, names)})"
        case Struct(urn):
            return f"{names[urn]}.arrow_type()"


def _python(kind: DataType, names: Mapping[str, str]) -> str:
    match kind:
        case Scalar(name):
            return SCALAR_CODE[name].python
        case Struct(urn):
            return names[urn]
        case ListOf(Struct(urn)):
            return f"Sequence[{names[urn]}]"
        case ListOf(Scalar(name)) if name not in BINARY:
            return f"{SCALAR_CODE[name].array} | Sequence[{SCALAR_CODE[name].python}]"
        case ListOf():
            return "pa.Array[Any] | Sequence[Any]"
