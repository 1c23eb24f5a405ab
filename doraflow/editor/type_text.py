"""Types in words, for hovers and completions: what a type is for, and its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.contract import Struct

from doraflow.analysis.compatibility import type_text
from doraflow.editor.outline import text_of
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from doraflow_runtime.contract import DataType

    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.editor.snapshot import Snapshot


def describe_type(urn: str, library: TypeLibrary, snapshot: Snapshot | None) -> str:
    """Describe a type in Markdown by its URN without parameters; empty if it is not known."""
    if urn not in library.types:
        return ""
    entry = snapshot.own_types.get(urn) if snapshot is not None else None
    own = text_of(entry.value.get("description")) if entry is not None and isinstance(entry.value, MappingNode) else ""
    layout = library.data_type(urn)
    return "\n\n".join(part for part in (own, layout_text(layout) if layout is not None else "") if part)


def layout_text(data_type: DataType) -> str:
    """Write an Arrow type in Markdown, a struct with its members one a line."""
    if not isinstance(data_type, Struct):
        return f"Arrow {type_text(data_type)}"
    members = (f"- `{member.name}`: {type_text(member.type)}" for member in data_type.fields)
    return "\n".join(["Arrow struct:", "", *members])
