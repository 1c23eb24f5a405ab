"""One syntax tree laid over another: maps joined key by key, anything else put in the place of what was there.

Every scalar keeps the place where it is written, so that whatever is found later points at the right text. Which trees
are laid over which, and what may be changed at all, is for `doraflow.parser.profiles`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode, is_null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.syntax import SyntaxNode


def overlaid(base: MappingNode, over: MappingNode, parent: str = "") -> MappingNode:
    """Lay `over` on `base`; `parent` is the key under which the two stand.

    A null takes a key away. A list of maps with ids is joined with a map of ids. A value in its short form, such as an
    input that is its source alone, is joined as its long form.
    """
    changes = {entry.key.text: entry for entry in over.entries}
    entries = []
    for entry in base.entries:
        change = changes.pop(entry.key.text, None)
        if change is None:
            entries.append(entry)
        elif not is_null(change.value):
            entries.append(_joined(entry, change, parent))
    return replace(base, entries=(*entries, *changes.values()))


def items_by_id(node: SyntaxNode | None) -> dict[str, MappingNode]:
    """Index the maps of a list by their `id`; of several with one id the first."""
    found: dict[str, MappingNode] = {}
    for item in node.items if isinstance(node, SequenceNode) else ():
        name = item_id(item)
        if name is not None and isinstance(item, MappingNode):
            found.setdefault(name, item)
    return found


def item_id(item: SyntaxNode) -> str | None:
    """Give the `id` of a map, if it has one."""
    name = item.get("id") if isinstance(item, MappingNode) else None
    return name.text if isinstance(name, ScalarNode) else None


def _joined(base: Entry, over: Entry, parent: str) -> Entry:
    key = base.key.text
    old, new = base.value, over.value
    if isinstance(old, SequenceNode) and isinstance(new, MappingNode):
        return Entry(base.key, replace(old, items=tuple(_items(old, new, key))))
    short = _short_form(parent, key)
    if short is not None and isinstance(old, MappingNode) != isinstance(new, MappingNode):
        old, new = _long_form(old, short), _long_form(new, short)
    if isinstance(old, MappingNode) and isinstance(new, MappingNode):
        return Entry(base.key, overlaid(old, new, key))
    return over


def _items(base: SequenceNode, over: MappingNode, key: str) -> Iterator[SyntaxNode]:
    changes = {entry.key.text: entry.value for entry in over.entries}
    for item in base.items:
        change = changes.get(item_id(item) or "")
        if isinstance(item, MappingNode) and isinstance(change, MappingNode):
            yield overlaid(item, change, key)
        else:
            yield item


def _short_form(parent: str, key: str) -> str | None:
    """Name the one key of a value's long form that its short form gives."""
    if parent == "communication":
        return "transport"
    return "source" if parent == "inputs" or key == "python" else None


def _long_form(node: SyntaxNode, key: str) -> SyntaxNode:
    if not isinstance(node, ScalarNode):
        return node
    return MappingNode((Entry(ScalarNode(key, key, node.span, plain=True), node),), node.span)
