"""Go to definition and find references: where a name is declared, in this file, through modules, or as a file.

Names come from `doraflow.editor.names`; a name that leads nowhere gives nothing.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.analysis.type_names import parse_type_name
from doraflow.diagnostics import Span
from doraflow.editor.names import NameKind, name_at, names_in, occurrences
from doraflow.editor.producers import Producers

if TYPE_CHECKING:
    from doraflow.editor.names import Occurrence
    from doraflow.editor.outline import Outline
    from doraflow.editor.positions import Place
    from doraflow.editor.snapshot import Snapshot


def definition(file: str, place: Place, snapshot: Snapshot) -> list[Span]:
    """Give the places where what stands at a place is declared."""
    around = snapshot.outlines.get(file)
    names = list(names_in(around)) if around is not None else []
    found = name_at(names, place)
    if around is None or found is None:
        return []
    if found.name.kind is NameKind.TYPE:
        return _type(found.name.text, snapshot)
    if found.name.kind in (NameKind.MODULE, NameKind.FILE):
        return _file(found.name.text, around)
    inside = _through_modules(found, around, snapshot)
    if inside:
        return inside
    return [each.span for each in occurrences(names, found.name) if each.is_definition]


def references(file: str, place: Place, snapshot: Snapshot, *, with_declaration: bool) -> list[Span]:
    """Give all places of the file that name what stands at a place."""
    around = snapshot.outlines.get(file)
    names = list(names_in(around)) if around is not None else []
    found = name_at(names, place)
    places = occurrences(names, found.name) if found is not None else []
    return [each.span for each in places if with_declaration or not each.is_definition]


def _through_modules(found: Occurrence, around: Outline, snapshot: Snapshot) -> list[Span]:
    """Find the output of a node inside a module that an output read from the module is."""
    name = found.name
    if name.kind is not NameKind.OUTPUT and name.kind is not NameKind.INPUT:
        return []
    producers = Producers(snapshot.outlines)
    if name.kind is NameKind.OUTPUT:
        produced = producers.find(f"{name.owner}/{name.text}", around)
        return [produced.entry.span] if produced is not None and produced.entry.span.file != around.file else []
    node = around.named(name.owner)
    module = producers.module(node, around) if node is not None else None
    return [entry.span for entry in module.inputs if entry.text == name.text] if module is not None else []


def _type(text: str, snapshot: Snapshot) -> list[Span]:
    name = parse_type_name(text)
    entry = snapshot.own_types.get(name.base) if name is not None else None
    return [entry.key.span] if entry is not None else []


def _file(written: str, around: Outline) -> list[Span]:
    """Give the beginning of a file that is there; a module's paths are relative to the module's folder."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(around.file), written))
    return [Span(path, 1, 1, 1, 1)] if "://" not in written and Path(path).is_file() else []
