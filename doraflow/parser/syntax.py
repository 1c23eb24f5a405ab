"""The syntax tree of a dataflow file: scalars, sequences and mappings, each with the place where it stands.

Nothing here knows what a key means; `doraflow.parser.compose` builds the tree and `doraflow.parser.model` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from doraflow.diagnostics import Span

_MOST_SEARCHED = 12
"""How many entries are searched one by one; in a longer mapping keys are looked up in a table, made when needed."""


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value.

    `value` is what YAML 1.2's core schema makes of it, `text` its characters after YAML's own unescaping; on a plain
    scalar of one line that is the source text itself. `plain` is False for quoted and block scalars, whose value is
    always a text.
    """

    value: str | int | float | bool | None
    text: str
    span: Span
    plain: bool


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list of values, in the order of the file."""

    items: tuple[SyntaxNode, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value."""

    key: ScalarNode
    value: SyntaxNode


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys with their values, in the order of the file; no key stands twice."""

    entries: tuple[Entry, ...]
    span: Span
    _index: dict[str, Entry] = field(default_factory=dict, init=False, repr=False, compare=False)

    def entry(self, key: str) -> Entry | None:
        """Look up a key with its value, or None."""
        if len(self.entries) > _MOST_SEARCHED:
            if not self._index:
                self._index.update((entry.key.text, entry) for entry in reversed(self.entries))
            return self._index.get(key)
        for entry in self.entries:
            if entry.key.text == key:
                return entry
        return None

    def get(self, key: str) -> SyntaxNode | None:
        """Look up the value of `key`, or None."""
        found = self.entry(key)
        return None if found is None else found.value

    def key_span(self, key: str) -> Span | None:
        """Look up where `key` itself stands, or None."""
        found = self.entry(key)
        return None if found is None else found.key.span


SyntaxNode: TypeAlias = ScalarNode | SequenceNode | MappingNode


def head_span(node: SyntaxNode) -> Span:
    """Give the stretch to mark when a message is about `node` as a whole: never more than the line it begins on.

    A value on one line is marked whole, a longer map at its first key, anything else at the character it begins with.
    """
    span = node.span
    if span.line == span.end_line:
        return span
    if isinstance(node, MappingNode) and node.entries and node.entries[0].key.span.line == span.line:
        return node.entries[0].key.span
    return replace(span, end_line=span.line, end_column=span.column + 1)


def items_of(node: SyntaxNode | None) -> tuple[SyntaxNode, ...]:
    """List the entries of a list; anything else has none."""
    return node.items if isinstance(node, SequenceNode) else ()


def is_null(node: SyntaxNode) -> bool:
    """Tell whether a value is YAML's null, which counts as a key that is not given."""
    return isinstance(node, ScalarNode) and node.value is None


def is_left_out(node: SyntaxNode) -> bool:
    """Tell whether nothing at all is written in the place of a value, so that there is nothing to mark."""
    return isinstance(node, ScalarNode) and node.plain and not node.text
