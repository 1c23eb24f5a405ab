"""A value to send for each type, as Python code: what a new node sends until its author writes better.

The code names the classes of the generated `types` module; which ones is told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.codegen.layout import call
from doraflow.codegen.stubs.scalars import SCALAR_CODE
from doraflow.codegen.stubs.structs import struct_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.contract import DataType

    from doraflow.codegen.stubs.class_names import ClassNames

_VALUES: Mapping[str, str] = MappingProxyType(
    {"bool": "False", "int": "0", "float": "0.0", "str": '""', "bytes | memoryview": 'b""'}
)


@dataclass(frozen=True, slots=True)
class Sample:
    """An expression, the classes of `types` that it names, and whether it needs pyarrow."""

    code: str
    classes: tuple[str, ...] = ()
    needs_pyarrow: bool = False


def sample(kind: DataType | None, names: ClassNames, indent: int) -> Sample:
    """Write what may be sent through an output of a type; its first line stands `indent` columns in."""
    match kind:
        case Scalar(name):
            return Sample(f"[{_VALUES[SCALAR_CODE[name].python]}]")
        case Struct():
            classes: list[str] = []
            return Sample(_value(kind, names, indent, classes), tuple(dict.fromkeys(classes)))
        case ListOf(Scalar(name)):
            return Sample(f"pa.array([[]], pa.large_list({SCALAR_CODE[name].make}))", needs_pyarrow=True)
    return Sample("pa.array([0])", needs_pyarrow=True)


def _value(kind: DataType, names: ClassNames, indent: int, classes: list[str]) -> str:
    match kind:
        case Scalar(name):
            return _VALUES[SCALAR_CODE[name].python]
        case Struct(urn):
            classes.append(names.rows[urn])
            members = zip(kind.fields, struct_code(kind, names).members, strict=True)
            given = [f"{code.attribute}={_value(field.type, names, indent + 4, classes)}" for field, code in members]
            return call(names.rows[urn], given, indent)
    return "[]"
