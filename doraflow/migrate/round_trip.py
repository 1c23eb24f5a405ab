"""Text to round-trip document and back, by ruamel.yaml, laid out as the user has laid it out.

Scalars are kept as they are written: nothing is resolved, so `0x10` stays `0x10`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode as RuamelScalar
from ruamel.yaml.resolver import VersionedResolver

from doraflow.migrate.rewrite import carry_out
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode
from doraflow.parser.text import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.parser.dialects.modernise import PlacedEdit

LONGEST_LINE = 1_000_000
_DOCUMENT_START = re.compile(r"^---(?:\s|$)", re.MULTILINE)


class _AsWritten(VersionedResolver):
    """Takes every scalar for a text, so that it is written out as it was read."""

    def resolve(self, kind: object, value: object, implicit: object) -> object:
        """Give the tag of a node."""
        return self.DEFAULT_SCALAR_TAG if kind is RuamelScalar else super().resolve(kind, value, implicit)


@dataclass(frozen=True, slots=True)
class Layout:
    """How far a text indents: mappings below their key, list entries below their key, and values after a dash."""

    mapping: int = 2
    dash: int = 2
    item: int = 2


def rewritten(text: str, tree: MappingNode, edits: Sequence[PlacedEdit]) -> str | None:
    """Carry out edits on a text whose syntax is `tree`; None if ruamel.yaml cannot read it."""
    yaml = _round_trip(layout_of(tree))
    yaml.explicit_start = bool(_DOCUMENT_START.search(text))
    try:
        document = yaml.load(text.removeprefix(BYTE_ORDER_MARK))
        for placed in edits:
            carry_out(document, placed)
    except YAMLError:
        return None
    stream = StringIO()
    yaml.dump(document, stream)
    return _as_before(stream.getvalue(), text)


def _round_trip(layout: Layout) -> YAML:
    yaml = YAML()
    yaml.Resolver = _AsWritten
    yaml.preserve_quotes = True
    yaml.width = LONGEST_LINE
    yaml.indent(mapping=layout.mapping, sequence=layout.dash + layout.item, offset=layout.dash)
    return yaml


def _as_before(fresh: str, text: str) -> str:
    """Give a text the line ends, the byte order mark and the last line of another one."""
    if not text.endswith("\n"):
        fresh = fresh.rstrip("\n")
    if "\r\n" in text:
        fresh = fresh.replace("\r\n", "\n").replace("\n", "\r\n")
    return BYTE_ORDER_MARK + fresh if text.startswith(BYTE_ORDER_MARK) else fresh


def layout_of(tree: MappingNode) -> Layout:
    """Find how a text is laid out, by the first mapping and the first list that stand below their key."""
    mapping, dash, item = 0, -1, 0
    for parent, child in _below(tree):
        if isinstance(child, SequenceNode) and dash < 0:
            dash, item = child.span.column - parent, child.items[0].span.column - child.span.column
        elif isinstance(child, MappingNode) and not mapping:
            mapping = child.span.column - parent
    return Layout(mapping or 2, max(dash, 0) if dash >= 0 else 2, item or 2)


def _below(tree: MappingNode) -> Iterator[tuple[int, MappingNode | SequenceNode]]:
    """List the collections that begin on a line below their key, with the key's column, from the top."""
    waiting: list[MappingNode | SequenceNode] = [tree]
    for node in waiting:
        values = [entry.value for entry in node.entries] if isinstance(node, MappingNode) else list(node.items)
        waiting += [value for value in values if isinstance(value, MappingNode | SequenceNode)]
        for entry in node.entries if isinstance(node, MappingNode) else ():
            value, key = entry.value, entry.key.span
            if not isinstance(value, ScalarNode) and value.span.line > key.line and _is_filled(value):
                yield key.column, value


def _is_filled(value: MappingNode | SequenceNode) -> bool:
    return bool(value.items if isinstance(value, SequenceNode) else value.entries)
