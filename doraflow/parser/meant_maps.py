"""How to mend what stands in the place of a map: which lines a list or a text was meant to be.

Only the edit is put into words here; that the shape is wrong is told by `doraflow.parser.read`.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from doraflow.parser.shapes import LONGEST_SHOWN, WITH_IDS, can_be_shown
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.parser.syntax import SyntaxNode

MOST_SHOWN = 3

_NO_SPACE = re.compile(r"([A-Za-z0-9_-]+):([^\s/].*)")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_EQUALS = re.compile(r"([A-Za-z0-9_.-]+)\s*=\s*(\S+)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SOURCE = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_NEEDS_QUOTES = re.compile(r"[,\[\]{}#&*!|>'\"%@`]|:\s|^[-?:]")
_AS_A_MAP = "write a map, `NAME: value` on each line"
# The key that a text in place of a map was mostly meant for; by the key of the text, or by the one around it.
_MEANT: Mapping[str, str] = MappingProxyType({"deploy": "machine", "operator": "python", "ros2": "topic"})
_MEANT_INSIDE: Mapping[str, str] = MappingProxyType({"hosts": "address"})
# How a list says the name and the value of each entry where its entries are maps with two keys.
_NAMES = ("id", "name", "key", "input", "port")
_VALUES = ("source", "from", "topic", "value", "type", "output")
_PATHS_AS_NAMES: Mapping[str, str] = MappingProxyType({"timer": "tick", "logs": "log"})

_Line: TypeAlias = tuple[str, str]


def as_map(key: str, node: SyntaxNode, parent: str, *, is_entry: bool) -> str:
    """Say how to write a map in the place of a single value or a list; `parent` is the key that holds `key`."""
    if isinstance(node, SequenceNode):
        return _from_list(key, node)
    if not isinstance(node, ScalarNode) or not can_be_shown(node.text):
        return _AS_A_MAP
    match = _NO_SPACE.fullmatch(node.text)
    if match is not None:
        return f"put a space after the `:`, as in `{match[1]}: {match[2]}`"
    if is_entry and key in WITH_IDS:
        return f"write `- id: {node.text}`, with its other keys below"
    meant = _MEANT.get(key) or _MEANT_INSIDE.get(parent)
    if not is_entry and meant is not None:
        return f"write `{key}: {{{meant}: {node.text}}}`"
    equals = _EQUALS.fullmatch(node.text)
    if equals is not None:
        return f"write a map, with `:` for `=`: `{equals[1]}: {equals[2]}`"
    line = _line(key, node)
    return f"write a map, `{key}: {{{line[0]}: {line[1]}}}`" if line is not None else _AS_A_MAP


def _from_list(key: str, node: SequenceNode) -> str:
    if node.items and all(_is_one_line(item) for item in node.items):
        first = _line(key, node.items[0])
        if first is not None:
            return f"write a map: take away the `-` before each name, as in `{first[0]}: {first[1]}`"
    if key == "hosts" and node.items and (name := _text_of(node.items[0], _NAMES)) is not None:
        return f"write a map: `{name}:` for the first one, with its other keys below"
    lines = [_line(key, item) for item in node.items]
    known = [line for line in lines if line is not None]
    if not known or len(dict(known)) < len(lines):
        return f"{_AS_A_MAP}, without `-`"
    rest = ", …" if len(known) > MOST_SHOWN else ""
    shown = ", ".join(f"{name}: {value}" for name, value in known[:MOST_SHOWN])
    return f"write a map, `{key}: {{{shown}{rest}}}`"


def _is_one_line(item: SyntaxNode) -> bool:
    return isinstance(item, MappingNode) and len(item.entries) == 1


def _line(key: str, item: SyntaxNode) -> _Line | None:
    """Read the name and the value that an entry of a list was meant to give; None where that is not certain."""
    if isinstance(item, ScalarNode):
        found = _assigned(item.text) if key == "env" else _named_after_source(item.text) if key == "inputs" else None
    elif isinstance(item, MappingNode) and _is_one_line(item):
        value = item.entries[0].value
        found = (item.entries[0].key.text, value.text) if isinstance(value, ScalarNode) else None
    else:
        name, written = _text_of(item, _NAMES), _text_of(item, _VALUES)
        found = (name, written) if name is not None and written is not None else None
    if found is None or len(found[1]) > LONGEST_SHOWN or not found[1] or _NEEDS_QUOTES.search(found[1]):
        return None
    return found


def _assigned(text: str) -> _Line | None:
    match = _ASSIGNMENT.fullmatch(text)
    return (match[1], match[2]) if match is not None else None


def _named_after_source(text: str) -> _Line | None:
    if _NAME.fullmatch(text):
        return text, f"NODE/{text}"
    if not _SOURCE.fullmatch(text):
        return None
    steps = text.split("/")
    name = _PATHS_AS_NAMES.get(steps[1]) if steps[0] == "dora" else steps[-1]
    return (name, text) if name is not None else None


def _text_of(item: SyntaxNode, keys: tuple[str, ...]) -> str | None:
    """Give the text of the first of some keys that a map has."""
    if not isinstance(item, MappingNode):
        return None
    values = (item.get(key) for key in keys)
    return next((value.text for value in values if isinstance(value, ScalarNode)), None)
