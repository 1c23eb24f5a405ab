"""A node added to the text of a dataflow: at the end of its list of nodes, every other character as it was.

What the text means is not judged here; the compiler reads it afterwards like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode
from doraflow.scaffold.answers import NODE_FOLDER, file_name, node_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import Entry
    from doraflow.scaffold.answers import NodeAnswer

_ENDS = ("---", "...")


@dataclass(frozen=True, slots=True)
class Addition:
    """A dataflow's text with one node more, and the path of that node's script."""

    text: str
    script: str


def added(text: str, file: str, node: NodeAnswer, sink: Sink) -> Addition | None:
    r"""Add a node; None if the text is no YAML, or if its list of nodes is not written line by line.

    >>> from doraflow.scaffold.answers import NodeAnswer
    >>> flow = "nodes:\n  - id: a  # first\n    path: a.py\n# end\n"
    >>> print(added(flow, "f.yml", NodeAnswer("b"), Sink()).text, end="")
    nodes:
      - id: a  # first
        path: a.py
      - id: b
        path: b.py
    # end
    """
    tree = compose(text, file, sink)
    if not isinstance(tree, MappingNode):
        return None
    entry = tree.entry("nodes")
    if entry is None or not isinstance(entry.value, SequenceNode):
        return None
    lines = text.split("\n")
    items = entry.value.items
    if not items or not lines[items[0].span.line - 1].lstrip().startswith("-"):
        return None
    column = len(lines[items[0].span.line - 1]) - len(lines[items[0].span.line - 1].lstrip())
    end = _end(lines, tree, entry, column)
    script = _script(items, node)
    fresh = node_lines(node, script, " " * column)
    apart = [""] if len(items) > 1 and _is_apart(lines, items) else []
    newline = "\r" if lines[0].endswith("\r") else ""
    lines[end:end] = [f"{line}{newline}" for line in (*apart, *fresh)]
    whole = "\n".join(lines)
    return Addition(whole if whole.endswith("\n") else f"{whole}\n", script)


def _end(lines: Sequence[str], tree: MappingNode, nodes: Entry, column: int) -> int:
    """Count the lines up to the end of the list: what follows it, blank or comment, is not its own."""
    first = nodes.key.span.line
    following = [entry.key.span.line - 1 for entry in tree.entries if entry.key.span.line > first]
    following += [position for position in range(first, len(lines)) if lines[position].rstrip() in _ENDS]
    end = min(following, default=len(lines))
    while end > 0 and _is_outside(lines[end - 1], column):
        end -= 1
    return end


def _is_outside(line: str, column: int) -> bool:
    bare = line.strip()
    indent = len(line) - len(line.lstrip())
    return not bare or (bare.startswith("#") and indent <= column)


def _is_apart(lines: Sequence[str], items: Sequence[object]) -> bool:
    """Tell whether the last two nodes stand apart by a blank line."""
    last = items[-1]
    return isinstance(last, MappingNode) and not lines[last.span.line - 2].strip()


def _script(items: Sequence[object], node: NodeAnswer) -> str:
    """Choose the script's path: in the folder of the last node that is a script, or the usual one."""
    paths = [path for item in items if isinstance(item, MappingNode) and (path := item.get("path")) is not None]
    scripts = [path.text for path in paths if isinstance(path, ScalarNode) and path.text.endswith(".py")]
    folder = PurePosixPath(scripts[-1]).parent if scripts else PurePosixPath(NODE_FOLDER)
    return (folder / file_name(node.id)).as_posix()
