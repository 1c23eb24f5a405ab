"""Edits of a dataflow file as data, and their effect on a syntax tree.

The same edits are carried out on the user's text by `doraflow.migrate`; which edits a file needs is found by the rules
beside this module. Every `path` is a location from the mapping that the rule was given, after the edits before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow.diagnostics import Span
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode


@dataclass(frozen=True, slots=True)
class Rename:
    """Give the key of an entry another name, in its place."""

    path: Location
    key: str
    to: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an entry away."""

    path: Location
    key: str


@dataclass(frozen=True, slots=True)
class Write:
    """Put a text as the value of a key: in its place if it is given, else after the key `after`.

    `span` is the text that the value was made from.
    """

    path: Location
    key: str
    text: str
    span: Span
    after: str = ""


@dataclass(frozen=True, slots=True)
class Lift:
    """Put the entries of a mapping in the place of the entry that holds it. None may be in both."""

    path: Location
    key: str


@dataclass(frozen=True, slots=True)
class Join:
    """Make one mapping of a list of mappings. None of their keys may stand twice."""

    path: Location
    key: str


@dataclass(frozen=True, slots=True)
class Wrap:
    """Make a list of the one value of a key."""

    path: Location
    key: str


@dataclass(frozen=True, slots=True)
class Gather:
    """Put the entries of several lists into one, under `key` in the place of the first."""

    path: Location
    keys: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Make a mapping of a list of names, or of one name: each name with the source that `sources` has for it."""

    path: Location
    key: str
    sources: tuple[tuple[str, str], ...]


Edit: TypeAlias = Rename | Remove | Write | Lift | Join | Wrap | Gather | Connect


def carried_out(tree: MappingNode, edit: Edit) -> MappingNode:
    r"""Carry out an edit.

    >>> from doraflow.diagnostics import Sink
    >>> from doraflow.parser.compose import compose
    >>> tree = compose("id: a\\ncustom: {source: b}", "f.yml", Sink())
    >>> tree = carried_out(carried_out(tree, Rename(("custom",), "source", "path")), Lift((), "custom"))
    >>> [entry.key.text for entry in tree.entries]
    ['id', 'path']
    """
    made = _at(tree, edit.path, lambda mapping: _edited(mapping, edit))
    return made if isinstance(made, MappingNode) else tree


def _at(node: SyntaxNode, path: Location, change: Callable[[MappingNode], MappingNode]) -> SyntaxNode:
    if not path:
        return change(node) if isinstance(node, MappingNode) else node
    step, rest = path[0], path[1:]
    if isinstance(node, MappingNode):
        entries = (
            replace(entry, value=_at(entry.value, rest, change)) if entry.key.text == step else entry
            for entry in node.entries
        )
        return replace(node, entries=tuple(entries))
    if isinstance(node, SequenceNode):
        items = (_at(item, rest, change) if position == step else item for position, item in enumerate(node.items))
        return replace(node, items=tuple(items))
    return node


def _edited(mapping: MappingNode, edit: Edit) -> MappingNode:
    match edit:
        case Gather():
            return _gathered(mapping, edit)
        case Write() if mapping.get(edit.key) is None:
            return _written(mapping, edit)
    entries: list[Entry] = []
    for entry in mapping.entries:
        entries += _changed(entry, edit) if entry.key.text == edit.key else [entry]
    return replace(mapping, entries=tuple(entries))


def _changed(entry: Entry, edit: Edit) -> list[Entry]:
    """Give what stands for the entry that an edit concerns."""
    value = entry.value
    match edit:
        case Rename():
            return [replace(entry, key=replace(entry.key, text=edit.to, value=edit.to))]
        case Write():
            return [replace(entry, value=_text(edit.text, edit.span))]
        case Lift() if isinstance(value, MappingNode):
            return list(value.entries)
        case Join() if isinstance(value, SequenceNode):
            joined = [inner for item in value.items if isinstance(item, MappingNode) for inner in item.entries]
            return [replace(entry, value=MappingNode(tuple(joined), value.span))]
        case Wrap():
            return [replace(entry, value=SequenceNode((value,), value.span))]
        case Connect():
            return [replace(entry, value=MappingNode(tuple(_connected(value, dict(edit.sources))), value.span))]
    return []


def _connected(value: SyntaxNode, sources: dict[str, str]) -> list[Entry]:
    names = value.items if isinstance(value, SequenceNode) else (value,)
    return [Entry(name, _text(sources[name.text], name.span)) for name in names if isinstance(name, ScalarNode)]


def _gathered(mapping: MappingNode, edit: Gather) -> MappingNode:
    held = [entry for entry in mapping.entries if entry.key.text in edit.keys]
    lists = [entry.value for entry in held if isinstance(entry.value, SequenceNode)]
    items = tuple(item for key in lists for item in key.items)
    key = replace(held[0].key, text=edit.key, value=edit.key)
    together = Entry(key, SequenceNode(items, held[0].value.span))
    entries = (together if entry is held[0] else entry for entry in mapping.entries if entry not in held[1:])
    return replace(mapping, entries=tuple(entries))


def _written(mapping: MappingNode, edit: Write) -> MappingNode:
    fresh = Entry(_text(edit.key, edit.span), _text(edit.text, edit.span))
    entries: list[Entry] = []
    for entry in mapping.entries:
        entries += [entry, fresh] if entry.key.text == edit.after else [entry]
    if fresh not in entries:
        entries.append(fresh)
    return replace(mapping, entries=tuple(entries))


def _text(text: str, span: Span) -> ScalarNode:
    return ScalarNode(text, text, span, plain=False)
