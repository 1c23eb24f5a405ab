"""Rename: a node, operator, output or input under another name, everywhere in its file, as edits of the text alone.

Comments and layout stay as they are. What cannot be renamed, or not to that name, is told in a sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.editor.names import NameKind, name_at, names_in, occurrences, verbatim_column
from doraflow.parser.identifiers import judge_node_id, judge_operator_id, judge_port_id
from doraflow.parser.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow.diagnostics import Span
    from doraflow.editor.names import Name, Occurrence
    from doraflow.editor.outline import Outline
    from doraflow.editor.positions import Place
    from doraflow.parser.identifiers import Illegal

_JUDGES: dict[NameKind, Callable[[str], Illegal | None]] = {
    NameKind.NODE: judge_node_id,
    NameKind.OPERATOR: judge_operator_id,
    NameKind.OUTPUT: judge_port_id,
    NameKind.INPUT: judge_port_id,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Some text to put in the place of a span."""

    span: Span
    new_text: str


class RenameRefusedError(Exception):
    """A rename that cannot be carried out; its text says why."""


def renameable(outline: Outline, place: Place) -> Occurrence:
    """Find what would be renamed at a place, or refuse."""
    return _renameable(outline, list(names_in(outline)), place)


def rename(outline: Outline, place: Place, new: str) -> list[Edit]:
    """Give the edits that rename what stands at a place, in the order of the file, or refuse."""
    names = list(names_in(outline))
    name = _renameable(outline, names, place).name
    prefix = name.text[: len(name.text) - len(_last(name, outline))]
    if prefix + new == name.text:
        return []
    illegal = _JUDGES[name.kind](new)
    if illegal is not None:
        raise RenameRefusedError(illegal.message)
    taken = next((each for each in names if _clashes(each, name, prefix + new)), None)
    if taken is not None:
        owner = f" of `{name.owner}`" if name.owner else ""
        place_taken = f"line {taken.span.line}"
        raise RenameRefusedError(
            f"`{new}` is taken: there is {_article(name.kind)}{owner} with that id on {place_taken}"
        )
    return [_edit(each, new) for each in occurrences(names, name)]


def _renameable(outline: Outline, names: list[Occurrence], place: Place) -> Occurrence:
    found = name_at(names, place)
    if found is None:
        raise RenameRefusedError("there is no name here to rename")
    _refuse_foreign(outline, names, found.name)
    return found


def _refuse_foreign(outline: Outline, names: list[Occurrence], name: Name) -> None:
    """Refuse what is not this file's to rename."""
    if name.kind not in _JUDGES:
        raise RenameRefusedError(
            f"`{name.text}` is {_article(name.kind)}, and only nodes, operators and ports are renamed"
        )
    places = occurrences(names, name)
    if not any(each.is_definition for each in places):
        raise RenameRefusedError(f"no node of this file declares the {name.kind} `{name.text}`")
    owner = outline.named(name.owner) if name.owner else None
    if owner is not None and owner.module is not None:
        raise RenameRefusedError(f"`{name.text}` is a port of the module `{owner.module.text}`: rename it there first")
    exported = {entry.span for entry in outline.outputs}
    if name.kind is NameKind.OUTPUT and any(each.span in exported for each in places):
        raise RenameRefusedError(
            f"`{name.text}` is an output of this module: the dataflows that include it would lose it"
        )
    scalars = {id(each.scalar) for each in places if each.is_definition}
    shared = next((each for each in names if id(each.scalar) in scalars and each.name != name), None)
    if shared is not None:
        raise RenameRefusedError(f"`{name.text}` is written once, on line {shared.span.line}, for several nodes")


def _clashes(other: Occurrence, name: Name, wanted: str) -> bool:
    same = (other.name.kind, other.name.owner, other.name.text) == (name.kind, name.owner, wanted)
    return same and other.is_definition


def _last(name: Name, outline: Outline) -> str:
    """Give the part of a name that is written: of an operator's port without the operator."""
    owner = outline.named(name.owner)
    for operator in owner.operators if owner is not None and name.kind is not NameKind.OPERATOR else ():
        if name.text.startswith(f"{operator.name}/"):
            return name.text.removeprefix(f"{operator.name}/")
    return name.text


def _edit(place: Occurrence, new: str) -> Edit:
    scalar = place.scalar
    whole = scalar.text[: place.start] + new + scalar.text[place.end :]
    if verbatim_column(scalar) is None or (scalar.plain and resolve(whole) is None):
        return Edit(scalar.span, json.dumps(whole, ensure_ascii=False))
    return Edit(place.span, new)


def _article(kind: NameKind) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
