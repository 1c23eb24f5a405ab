"""The user's type files: `types/**/*.yml` read into a type library.

A type that cannot be used is reported here, at its place in its file, so that no port has to say it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.contract import SCALARS

from doraflow.analysis.type_library import TypeLibrary, library
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.document import TypeFile
    from doraflow.parser.syntax import SyntaxNode

_ARROW = (*sorted(SCALARS), "Struct")


def read_library(files: Sequence[TypeFile], sink: Sink) -> TypeLibrary:
    """Make the library of the standard types and those of `files`."""
    scalars: dict[str, str] = {}
    structs: dict[str, dict[str, str]] = {}
    places: list[tuple[str, Span]] = []
    for file in files:
        if file.prefix.split("/")[0] == "std":
            sink.error(
                "DF303",
                f"`{file.prefix}` lies under `std/`, which is kept for the standard types",
                file.syntax.entries[0].key.span,
                help="move the file to a folder with a name of your own",
            )
            continue
        _read_file(file, scalars, structs, places, sink)
    made = library(scalars, structs)
    _check(made, places, sink)
    return made


def _read_file(
    file: TypeFile,
    scalars: dict[str, str],
    structs: dict[str, dict[str, str]],
    places: list[tuple[str, Span]],
    sink: Sink,
) -> None:
    types = file.syntax.get("types")
    if not isinstance(types, MappingNode):
        spot = types.span if types is not None else file.syntax.entries[0].key.span
        sink.error("DF102", "a type file has the key `types` with a map of types", spot, help="write `types:`")
        return
    for entry in types.entries:
        urn = f"{file.prefix}/{entry.key.text}"
        arrow = _text(entry.value, "arrow")
        if arrow is not None and arrow.text in SCALARS:
            scalars[urn] = arrow.text
        elif arrow is not None and arrow.text == "Struct":
            structs[urn] = _members(entry.value, sink)
            places.append((urn, entry.key.span))
        else:
            _tell_arrow(urn, arrow, entry.key.span, sink)


def _tell_arrow(urn: str, arrow: ScalarNode | None, span: Span, sink: Sink) -> None:
    given = arrow.text if arrow is not None else ""
    near = nearest(given, _ARROW)
    sink.error(
        "DF301",
        f"`{urn}` has no Arrow type: `arrow` is one of {choices_text(given, _ARROW)}",
        arrow.span if arrow is not None else span,
        help=f"write `arrow: {near[0]}`" if near else "write `arrow: Struct` and list its `fields`",
    )


def _members(node: SyntaxNode, sink: Sink) -> dict[str, str]:
    fields = node.get("fields") if isinstance(node, MappingNode) else None
    members: dict[str, str] = {}
    for item in fields.items if isinstance(fields, SequenceNode) else ():
        name, kind = _text(item, "name"), _text(item, "type")
        if name is None or kind is None:
            sink.error("DF102", "a field has a `name` and a `type`", item.span, help="write `{name: x, type: Float64}`")
        else:
            members[name.text] = kind.text
    return members


def _text(node: SyntaxNode, key: str) -> ScalarNode | None:
    value = node.get(key) if isinstance(node, MappingNode) else None
    return value if isinstance(value, ScalarNode) else None


def _check(made: TypeLibrary, places: Sequence[tuple[str, Span]], sink: Sink) -> None:
    for urn, span in places:
        if made.data_type(urn) is None:
            sink.error(
                "DF301",
                f"the struct `{urn}` contains itself or a type that does not exist",
                span,
                help="name Arrow types, types of the library, or `List<…>` of them in its `fields`",
            )
