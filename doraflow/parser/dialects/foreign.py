"""Dataflows of other tools that look like dora's: dora-manager's packages, and the timers of the fork adora.

They are named once, so that a user is not told of each of their keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Write
from doraflow.parser.dialects.finding import Found
from doraflow.parser.rules import IMPLEMENTATIONS
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Span
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

_FORK = "adora/"
_BUILT_IN = ("adora/timer/", "adora/logs")


def package_of_dora_manager(node: SyntaxNode) -> Span | None:
    """Give the place of the key by which a node names a package of dora-manager; None if it does not."""
    if not isinstance(node, MappingNode) or not isinstance(node.get("node"), ScalarNode):
        return None
    is_ours = any(node.get(key) is not None for key in (*IMPLEMENTATIONS, "custom"))
    return None if is_ours and node.get("config") is None else node.key_span("node")


def find_adora(node: MappingNode) -> Iterator[Found]:
    """Find the inputs of a node or its operators that read a timer or the log of adora."""
    several = node.get("operators")
    operators = several.items if isinstance(several, SequenceNode) else ()
    yield from _sources(node, ())
    yield from _sources(node.get("operator"), ("operator",))
    for position, operator in enumerate(operators):
        yield from _sources(operator, ("operators", position))


def _sources(holder: SyntaxNode | None, path: Location) -> Iterator[Found]:
    inputs = holder.get("inputs") if isinstance(holder, MappingNode) else None
    for entry in inputs.entries if isinstance(inputs, MappingNode) else ():
        is_long = isinstance(entry.value, MappingNode)
        source = entry.value.get("source") if isinstance(entry.value, MappingNode) else entry.value
        if isinstance(source, ScalarNode) and source.text.startswith(_BUILT_IN):
            place = (*path, "inputs", entry.key.text) if is_long else (*path, "inputs")
            modern = f"dora/{source.text.removeprefix(_FORK)}"
            edit = Write(place, "source" if is_long else entry.key.text, modern, source.span)
            message = f"`{source.text}` is a source of adora, a fork of dora: this is a dataflow of another tool"
            yield Found(message, f"write `{modern}`", source.span, (edit,), foreign=True)
