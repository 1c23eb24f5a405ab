"""The user's type files, `types/**/*.yml`, read into a type library.

A type that cannot be used is reported here, at its place in its file, so that no port has to say it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow_runtime.contract import SCALARS

from doraflow.analysis.type_library import TypeLibrary, library
from doraflow.analysis.type_names import TypeName, parse_type_name
from doraflow.diagnostics import Label
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.analysis.type_resolution import Members
    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.document import TypeFile
    from doraflow.parser.syntax import SyntaxNode

RESERVED = "std"
_STRUCT = "Struct"
_ARROW_TYPES = (*sorted(SCALARS), _STRUCT)
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "type file": ("types",),
        "type": ("arrow", "description", "params", "fields", "metadata"),
        "field": ("name", "type", "nullable"),
        "parameter": ("name", "default"),
        "metadata entry": ("key", "description"),
    }
)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the files define so far, and where each member's type stands."""

    types: dict[str, str | Members] = field(default_factory=dict)
    places: dict[tuple[str, str], Span] = field(default_factory=dict)
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_library(files: Sequence[TypeFile], sink: Sink) -> TypeLibrary:
    """Make the library of the standard types and those of `files`; what is wrong with a file is in `sink`."""
    read = _Read()
    for file in files:
        if file.prefix.split("/")[0] == RESERVED:
            sink.error(
                "DF303",
                f"`{file.prefix}` lies under `{RESERVED}/`, which is kept for the standard types",
                head_span(file.syntax),
                help="move the file to a folder with a name of your own",
            )
        else:
            _read_file(file, read, sink)
    made = library(read.types, read.parameters)
    for fault in made.faults:
        sink.error(fault.code, fault.message, read.places.get((fault.urn, fault.member)), help=fault.help)
    return made


def _read_file(file: TypeFile, read: _Read, sink: Sink) -> None:
    _check_keys(file.syntax, "type file", sink)
    types = file.syntax.get("types")
    if not isinstance(types, MappingNode):
        _tell_missing("type file", "types", types or file.syntax, "add `types:` with a map of types", sink)
        return
    for entry in types.entries:
        urn = f"{file.prefix}/{entry.key.text}"
        if parse_type_name(urn) != TypeName(urn):
            sink.error(
                "DF303",
                f"`{urn}` is no type name: only letters, digits, `_`, `-`, `.` and `/` are allowed",
                entry.key.span,
                help="rename the type, or the file that it stands in",
            )
        elif isinstance(entry.value, MappingNode):
            _read_type(urn, entry.value, read, sink)
        else:
            _tell_missing("type", "arrow", entry.key, "write `{arrow: …}` with its Arrow type", sink)


def _read_type(urn: str, syntax: MappingNode, read: _Read, sink: Sink) -> None:
    _check_keys(syntax, "type", sink)
    read.parameters[urn] = _names(syntax.get("params"), "parameter", "name", sink)
    _names(syntax.get("metadata"), "metadata entry", "key", sink)
    arrow, fields = syntax.get("arrow"), syntax.get("fields")
    name = arrow.text if isinstance(arrow, ScalarNode) else ""
    if arrow is None:
        _tell_missing("type", "arrow", syntax, "add `arrow: …` with its Arrow type", sink)
    elif name in SCALARS:
        read.types[urn] = name
    elif name == _STRUCT:
        read.types[urn] = _read_members(urn, fields, read, sink)
    else:
        near = nearest(name, _ARROW_TYPES)
        sink.error(
            "DF301",
            f"`{name}` is no Arrow type, so `{urn}` has none",
            head_span(arrow or syntax),
            help=f"write `arrow: {near[0]}`" if near else f"write one of {choices_text(name, _ARROW_TYPES, 16)}",
        )


def _read_members(urn: str, fields: SyntaxNode | None, read: _Read, sink: Sink) -> Members:
    members: dict[str, str] = {}
    names: dict[str, Span] = {}
    for item in fields.items if isinstance(fields, SequenceNode) else ():
        name, kind = _text(item, "name"), _text(item, "type")
        if name is None or kind is None:
            _tell_missing("field", "type" if name else "name", item, "write `{name: x, type: Float64}`", sink)
            continue
        _check_keys(item, "field", sink)
        if name.text in members:
            sink.error(
                "DF305",
                f"`{urn}` has two fields `{name.text}`",
                name.span,
                related=[Label(names[name.text], "the first one is here")],
                help="remove or rename one of them",
            )
            continue
        members[name.text], names[name.text] = kind.text, name.span
        read.places[urn, name.text] = kind.span
    return members


def _names(items: SyntaxNode | None, noun: str, key: str, sink: Sink) -> tuple[str, ...]:
    """Read a list of maps for what each names under `key`."""
    names = []
    for item in items.items if isinstance(items, SequenceNode) else ():
        name = _text(item, key)
        if name is None:
            _tell_missing(noun, key, item, f"write `{{{key}: …}}`", sink)
            continue
        _check_keys(item, noun, sink)
        names.append(name.text)
    return tuple(names)


def _check_keys(syntax: SyntaxNode, noun: str, sink: Sink) -> None:
    known = _KEYS[noun]
    for entry in syntax.entries if isinstance(syntax, MappingNode) else ():
        key = entry.key.text
        if key not in known:
            near = nearest(key, known)
            listed = f"the keys of a {noun} are {choices_text(key, known)}"
            help_text = f"write `{near[0]}`" if near else listed
            sink.error("DF101", f"a {noun} has no key `{key}`", entry.key.span, help=help_text)


def _tell_missing(noun: str, key: str, place: SyntaxNode, help_text: str, sink: Sink) -> None:
    sink.error("DF102", f"this {noun} lacks the key `{key}`, which is required", head_span(place), help=help_text)


def _text(node: SyntaxNode, key: str) -> ScalarNode | None:
    value = node.get(key) if isinstance(node, MappingNode) else None
    return value if isinstance(value, ScalarNode) else None
