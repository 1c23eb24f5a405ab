"""The dialect of 2022: `sources`, `operators` and `sinks` at the top, wired by the names of outputs.

An input that is a name alone reads the output of that name, whichever node sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Connect, Gather, Rename, Wrap
from doraflow.parser.dialects.finding import Found
from doraflow.parser.rules import OPERATOR_IMPLEMENTATIONS
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

_SECTIONS = ("sources", "operators", "sinks")


def find_sections(root: MappingNode) -> Iterator[Found]:
    """Find the three sections in a file without `nodes`."""
    given = [entry for entry in root.entries if entry.key.text in _SECTIONS and isinstance(entry.value, SequenceNode)]
    if not given or root.get("nodes") is not None:
        return
    if any(_is_modern(item) for entry in given if isinstance(entry.value, SequenceNode) for item in entry.value.items):
        return
    names = tuple(entry.key.text for entry in given)
    items = [item for entry in given if isinstance(entry.value, SequenceNode) for item in entry.value.items]
    nodes = [(("nodes", position), item) for position, item in enumerate(items) if isinstance(item, MappingNode)]
    senders = {output: name for _, item in nodes for name, output in _outputs(item)}
    edits: list[Edit] = [Gather((), names, "nodes")]
    for path, item in nodes:
        edits += _node_edits(path, item, senders)
    yield Found(
        "`sources`, `operators` and `sinks` at the top are an old spelling: all nodes stand under `nodes`",
        "write all nodes under `nodes`, each with its `inputs` and `outputs`",
        given[0].key.span,
        tuple(edits),
    )


def _is_modern(item: SyntaxNode) -> bool:
    """Tell an operator of today, which stands in a node, from the operators of that dialect, which were nodes."""
    return isinstance(item, MappingNode) and any(item.get(key) is not None for key in OPERATOR_IMPLEMENTATIONS)


def _outputs(node: MappingNode) -> Iterator[tuple[str, str]]:
    name = node.get("id")
    if isinstance(name, ScalarNode):
        for output in (*_texts(node.get("outputs")), *_texts(node.get("output"))):
            yield name.text, output


def _texts(value: SyntaxNode | None) -> list[str]:
    items = value.items if isinstance(value, SequenceNode) else (value,)
    return [item.text for item in items if isinstance(item, ScalarNode)]


def _node_edits(path: Location, node: MappingNode, senders: dict[str, str]) -> Iterator[Edit]:
    if node.get("output") is not None and node.get("outputs") is None:
        yield Wrap(path, "output")
        yield Rename(path, "output", "outputs")
    for key in ("inputs", "input"):
        names = _texts(node.get(key))
        if names and len(set(names)) == len(names):
            yield Connect(path, key, tuple((name, f"{senders.get(name, name)}/{name}") for name in names))
    if node.get("input") is not None and node.get("inputs") is None:
        yield Rename(path, "input", "inputs")
