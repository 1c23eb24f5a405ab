"""A dataflow file rewritten from an old dialect: text in, text out, proven to mean the same.

Nothing is written to disk here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.collector import held_back
from doraflow.diagnostics import Sink
from doraflow.migrate.leftovers import tell_leftovers
from doraflow.parser.compose import compose
from doraflow.parser.dialects.modernise import may_be_old, modern_form, refuse_dora_manager
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from doraflow.parser.syntax import SyntaxNode


@dataclass(frozen=True, slots=True)
class Migration:
    """A rewritten text, and what was old in it: what was said of each construct, with the number of its places."""

    text: str
    constructs: tuple[tuple[str, int], ...] = ()


@held_back()
def migrate(text: str, file: str, sink: Sink) -> Migration | None:
    r"""Rewrite a dataflow or module file in the modern dialect; the text stays as it is where nothing in it is old.

    Comments, order, quotes and blank lines are kept. None after an error, which is in `sink`: the text is no YAML, it
    is of another tool, what is old in it cannot be rewritten, or the rewritten text would not mean the same (DF131).

    >>> found = migrate("nodes:\n  - id: a # first\n    custom:\n      source: a.py\n", "f.yml", Sink())
    >>> print(found.text, end="")
    nodes:
      - id: a # first
        path: a.py
    """
    tree = compose(text, file, sink)
    if tree is None:
        return None
    if not may_be_old(text):
        return Migration(text)
    if refuse_dora_manager(tree, sink):
        return None
    modern = modern_form(tree)
    tell_leftovers(modern.tree, sink)
    if sink.has_errors:
        return None
    if not modern.edits:
        return Migration(text)
    from doraflow.migrate.round_trip import rewritten

    fresh = rewritten(text, tree, modern.edits)
    again = compose(fresh, file, Sink()) if fresh is not None else None
    if fresh is None or again is None or not means_the_same(again, modern.tree):
        sink.error(
            "DF131",
            "this command cannot rewrite the file without changing what it means",
            modern.found[0].span,
            help=f"rewrite it by hand: {modern.found[0].help}",
        )
        return None
    return Migration(fresh, tuple(Counter(found.message for found in modern.found).items()))


def means_the_same(first: SyntaxNode, second: SyntaxNode) -> bool:
    """Tell whether two trees hold the same keys and values in the same order, wherever they stand."""
    waiting = [(first, second)]
    while waiting:
        match waiting.pop():
            case ScalarNode() as one, ScalarNode() as other:
                if one.text != other.text or (one.value is None) != (other.value is None):
                    return False
            case SequenceNode(items=ones), SequenceNode(items=others):
                if len(ones) != len(others):
                    return False
                waiting += zip(ones, others, strict=True)
            case MappingNode(entries=ones), MappingNode(entries=others):
                if [entry.key.text for entry in ones] != [entry.key.text for entry in others]:
                    return False
                waiting += [(one.value, other.value) for one, other in zip(ones, others, strict=True)]
            case _:
                return False
    return True
