"""Going on after a fault: the syntax tree without what could not be read, and a record of what that leaves uncertain.

What was wrong has been told by `doraflow.parser.read`; nothing here adds a diagnostic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.parser.syntax import SyntaxNode

Location: TypeAlias = tuple[int | str, ...]

PORT_KEYS = frozenset({"inputs", "outputs", "operator", "operators", "ros2", "module", "hub"})
PROGRAM_KEY = "path"
"""Of the keys without a bearing on ports the one whose loss is recorded: without it a node would seem to do nothing."""


_HELD_BY_OLD_KEYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"custom": frozenset({"inputs", "outputs", PROGRAM_KEY})}
)
"""Keys of a node that stand in an old one: where that one is not understood, they are missing."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A value to be left out, or an entry to be read under another key. `unknown` tells that the key has no meaning."""

    location: Location
    renamed: str | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Gaps:
    """What the nodes of a file lack after recovery.

    `keys` maps the id of a node to those of its keys of which a part is missing; `nodes` are the ids of nodes that are
    missing as a whole, and `nameless` tells that one is missing whose id is not known.
    """

    keys: Mapping[str, frozenset[str]]
    nodes: frozenset[str] = frozenset()
    nameless: bool = False

    def __bool__(self) -> bool:
        return bool(self.keys or self.nodes or self.nameless)

    def joined(self, other: Gaps) -> Gaps:
        """Give the gaps of both."""
        keys = {name: self.keys.get(name, frozenset()) | other.keys.get(name, frozenset()) for name in self.keys}
        return Gaps({**other.keys, **keys}, self.nodes | other.nodes, self.nameless or other.nameless)


NO_GAPS = Gaps({})


def without(tree: MappingNode, cuts: Sequence[Cut]) -> MappingNode:
    """Carry out cuts, whose locations all refer to `tree` as it is.

    >>> from doraflow.diagnostics import Sink
    >>> from doraflow.parser.compose import compose
    >>> tree = compose("nodes: [{id: a, ouputs: [x]}, 7]", "f.yml", Sink())
    >>> mended = without(tree, [Cut(("nodes", 0, "ouputs"), "outputs"), Cut(("nodes", 1))])
    >>> [entry.key.text for entry in mended.get("nodes").items[0].entries]
    ['id', 'outputs']
    """
    mended = _without(tree, [(cut.location, cut.renamed) for cut in cuts])
    assert isinstance(mended, MappingNode)  # noqa: S101 - a mapping stays one
    return mended


def shortened(node: MappingNode, most: int) -> MappingNode:
    """Give a tree whose lists are cut off after `most` entries; maps are left whole, as they may need each key."""
    cut = _shortened(node, most)
    assert isinstance(cut, MappingNode)  # noqa: S101 - a mapping stays one
    return cut


def _shortened(node: SyntaxNode, most: int) -> SyntaxNode:
    if isinstance(node, SequenceNode):
        return replace(node, items=tuple(_shortened(item, most) for item in node.items[:most]))
    if isinstance(node, MappingNode):
        return replace(
            node, entries=tuple(replace(entry, value=_shortened(entry.value, most)) for entry in node.entries)
        )
    return node


def _without(node: SyntaxNode, cuts: Sequence[tuple[Location, str | None]]) -> SyntaxNode:
    by_step: dict[int | str, list[tuple[Location, str | None]]] = {}
    for location, renamed in cuts:
        by_step.setdefault(location[0], []).append((location[1:], renamed))
    if isinstance(node, SequenceNode):
        kept = ((item, by_step.get(position, [])) for position, item in enumerate(node.items))
        return replace(node, items=tuple(_inner(item, inner) for item, inner in kept if not _is_dropped(inner)))
    if isinstance(node, MappingNode):
        entries = []
        for entry in node.entries:
            inner = by_step.get(entry.key.text, [])
            if _is_dropped(inner):
                continue
            name = next((renamed for rest, renamed in inner if not rest and renamed is not None), None)
            key = entry.key if name is None else replace(entry.key, text=name, value=name)
            entries.append(replace(entry, key=key, value=_inner(entry.value, inner)))
        return replace(node, entries=tuple(entries))
    return node


def _inner(node: SyntaxNode, cuts: Sequence[tuple[Location, str | None]]) -> SyntaxNode:
    deeper = [(location, renamed) for location, renamed in cuts if location]
    return _without(node, deeper) if deeper else node


def _is_dropped(cuts: Sequence[tuple[Location, str | None]]) -> bool:
    return any(not location and renamed is None for location, renamed in cuts)


def gaps_of(tree: MappingNode, cuts: Sequence[Cut]) -> Gaps:
    """Tell what the nodes of `tree` lack once `cuts` are made.

    A renamed key leaves no gap, nor does an unknown one unless it held others.
    """
    nodes = tree.get("nodes")
    items = nodes.items if isinstance(nodes, SequenceNode) else ()
    keys: dict[str, frozenset[str]] = {}
    missing: set[str] = set()
    nameless = False
    for cut in cuts:
        if cut.location[0] != "nodes" or cut.renamed is not None or len(cut.location) < 2:
            continue
        name = _id_of(items[int(cut.location[1])])
        if cut.unknown:
            held = _HELD_BY_OLD_KEYS.get(str(cut.location[-1])) if len(cut.location) == 3 else None
            if held is not None and name is not None:
                keys[name] = keys.get(name, frozenset()) | held
        elif name is None:
            nameless = True
        elif len(cut.location) == 2 or cut.location[2] == "id":
            missing.add(name)
        elif cut.location[2] in PORT_KEYS or cut.location[2] == PROGRAM_KEY:
            keys[name] = keys.get(name, frozenset()) | {str(cut.location[2])}
    return Gaps(keys, frozenset(missing), nameless)


def _id_of(node: SyntaxNode) -> str | None:
    found = node.get("id") if isinstance(node, MappingNode) else None
    return found.text if isinstance(found, ScalarNode) and found.text else None
