"""The classes of `types.py` by name: one for each struct, and one for each output that lends its memory.

They are told apart from each other and from every name that the generated modules import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import Scalar

from doraflow.codegen.names import class_name, unique
from doraflow.codegen.stubs.scalars import BINARY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow_runtime.contract import Struct

RESERVED = (
    *("ArrayEvent", "ArrayOutput", "ByteArrayOutput", "BytesOutput", "NumberOutput", "PictureOutput"),
    *("ScalarOutput", "StructOutput"),
    *(
        "Any",
        "Event",
        "InputClosed",
        "InputRecovered",
        "Loan",
        "Metadata",
        "Node",
        "NodeFailed",
        "NodeRestarted",
        "Outputs",
        "Parameters",
        "Sequence",
        "Stop",
    ),
    *("TypeAlias", "TypedNode"),
)


@dataclass(frozen=True, slots=True)
class ClassNames:
    """The classes by the URN of their struct: `rows` for all, `outputs` for those with one binary member."""

    rows: Mapping[str, str]
    outputs: Mapping[str, str]

    def taken(self) -> tuple[str, ...]:
        """List all names that a node's module must leave alone."""
        return (*RESERVED, *self.rows.values(), *self.outputs.values())


def class_names(structs: Sequence[Struct]) -> ClassNames:
    """Name the classes, in the order of the structs.

    >>> from doraflow_runtime.contract import Field, Struct
    >>> class_names([Struct("my/v1/Blob", (Field("data", Scalar("Binary")),)), Struct("my/v1/Stop", ())])
    ClassNames(rows={'my/v1/Blob': 'Blob', 'my/v1/Stop': 'Stop2'}, outputs={'my/v1/Blob': 'BlobOutput'})
    """
    names = unique((class_name(struct.urn.rpartition("/")[2]) for struct in structs), taken=RESERVED, mark="")
    rows = {struct.urn: name for struct, name in zip(structs, names, strict=True)}
    lending = [struct.urn for struct in structs if binary_member(struct) is not None]
    outputs = unique((f"{rows[urn]}Output" for urn in lending), taken=(*RESERVED, *names), mark="")
    return ClassNames(rows, dict(zip(lending, outputs, strict=True)))


def binary_member(struct: Struct) -> str | None:
    """Name the member that can be written in place: the only binary one. None if there is none, or more than one."""
    binary = [field.name for field in struct.fields if isinstance(field.type, Scalar) and field.type.name in BINARY]
    return binary[0] if len(binary) == 1 else None
