"""Edits of a dialect carried out on a round-trip document, which keeps the user's comments, order and quotes.

What has to be edited is found by `doraflow.parser.dialects`; the same edits on the syntax tree tell what the result
must mean.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from doraflow.migrate.comments import (
    AFTER,
    comment_lines,
    dedent,
    head_lines,
    move,
    put_after,
    put_before,
    shift,
    split_after,
    take,
    take_over,
)
from doraflow.parser.dialects.edits import Connect, Gather, Join, Lift, Remove, Rename, Wrap, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.dialects.modernise import PlacedEdit


def carry_out(document: CommentedMap, placed: PlacedEdit) -> None:
    """Carry out an edit on a document, in place."""
    edit = placed.edit
    mapping: Any = document
    for step in (*placed.scope, *edit.path):
        mapping = mapping[step]
    if isinstance(edit, Rename | Remove | Lift | Join | Wrap | Connect) and edit.key not in mapping:
        return  # an alias: the value that it names has been edited where it stands
    _CHANGES[type(edit)](mapping, edit)


def _rename(mapping: CommentedMap, edit: Rename) -> None:
    _rename_key(mapping, edit.key, edit.to)


def _rename_key(mapping: CommentedMap, key: str, to: str) -> None:
    position, held = list(mapping).index(key), mapping.ca.items.pop(key, None)
    value = mapping.pop(key)
    mapping.insert(position, to, value)
    if held is not None:
        mapping.ca.items[to] = held
        if held[AFTER] is not None:
            shift(held[AFTER], len(to) - len(key))


def _remove(mapping: CommentedMap, edit: Remove) -> None:
    keys, key = list(mapping), edit.key
    following = keys[keys.index(key) + 1 : keys.index(key) + 2]
    own = CommentedMap({key: mapping.pop(key)})
    move(mapping, key, own, key)
    for name in following:
        put_before(mapping, name, comment_lines(own))


def _write(mapping: CommentedMap, edit: Write) -> None:
    keys = list(mapping)
    if edit.key in keys:
        take_over(mapping, edit.key, mapping[edit.key])
        mapping[edit.key] = edit.text
        return
    position = keys.index(edit.after) + 1 if edit.after in keys else len(keys)
    held = mapping.ca.items.get(edit.after)
    trailing = split_after(held[AFTER]) if held is not None and held[AFTER] is not None else ""
    mapping.insert(position, edit.key, edit.text)
    put_after(mapping, edit.key, trailing)


def _lift(mapping: CommentedMap, edit: Lift) -> None:
    position, held, inner = list(mapping).index(edit.key), take(mapping, edit.key), mapping.pop(edit.key)
    keys = list(inner)
    is_in_one_line = inner.fa.flow_style()
    if not is_in_one_line:
        dedent(inner, inner.lc.col - mapping.lc.col, inner.lc.col)
    for offset, name in enumerate(keys):
        mapping.insert(position + offset, name, inner[name])
        move(inner, name, mapping, name)
    if not keys:
        return
    if is_in_one_line and held[AFTER] is not None:
        mapping.ca.items.setdefault(keys[-1], [None] * 4)[AFTER] = held[AFTER]
    elif not is_in_one_line:
        put_before(mapping, keys[0], head_lines(held, inner))


def _join(mapping: CommentedMap, edit: Join) -> None:
    items = mapping[edit.key]
    joined = CommentedMap()
    joined.ca.comment = items.ca.comment
    if items.fa.flow_style():
        joined.fa.set_flow_style()
    for item in items:
        for name, value in item.items():
            joined[name] = value
            move(item, name, joined, name)
    mapping[edit.key] = joined


def _gather(mapping: CommentedMap, edit: Gather) -> None:
    first, *others = edit.keys
    together = mapping[first]
    for key in others:
        take(mapping, key)
        together.extend(mapping.pop(key))
    _rename_key(mapping, first, edit.key)


def _connect(mapping: CommentedMap, edit: Connect) -> None:
    value, sources = mapping[edit.key], dict(edit.sources)
    names = value if isinstance(value, CommentedSeq) else [value]
    connected = CommentedMap()
    for position, name in enumerate(names):
        connected[name] = sources[str(name)]
        if isinstance(value, CommentedSeq) and position in value.ca.items:
            connected.ca.items[name] = [None, None, value.ca.items[position][0], None]
    if isinstance(value, CommentedSeq):
        connected.ca.comment = value.ca.comment
    else:
        connected.ca.items[names[0]] = take(mapping, edit.key)
    mapping[edit.key] = connected


def _wrap(mapping: CommentedMap, edit: Wrap) -> None:
    items = CommentedSeq([mapping[edit.key]])
    items.fa.set_flow_style()
    mapping[edit.key] = items


_CHANGES: Mapping[type[Edit], Callable[[CommentedMap, Any], None]] = MappingProxyType(
    {
        Rename: _rename,
        Remove: _remove,
        Write: _write,
        Lift: _lift,
        Join: _join,
        Wrap: _wrap,
        Gather: _gather,
        Connect: _connect,
    }
)
