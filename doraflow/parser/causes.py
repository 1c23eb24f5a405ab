"""Faults told from what only follows of them: one cause, one finding; and how to go on after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.advice import stands_for
from doraflow.parser.model import Node
from doraflow.parser.old_keys import NODE_SECTIONS
from doraflow.parser.owners import known_keys
from doraflow.parser.recovery import PORT_KEYS, Cut
from doraflow.parser.syntax import ScalarNode, is_null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.parser.faults import Fault
    from doraflow.parser.recovery import Location

# Optional keys without which later stages would find faults that are none, or miss those that are.
_LEADING = PORT_KEYS | {
    *("path", "python", "wasm", "shared-library", "build", "git", "params", "deploy", "machine", "hosts"),
    *("input_types", "output_types", "type_rules"),
}


def judged(faults: Sequence[Fault]) -> tuple[list[Fault], list[Cut]]:
    """Tell faults from what only follows of them, a required key that lacks as it is misspelt; and how to go on."""
    meant: set[Location] = set()
    cuts: dict[Location, Cut] = {}
    for fault in faults:
        key = fault.meant()
        place = (*fault.location[:-1], key or "")
        if key is not None and place not in meant and (key in _LEADING or fault.is_required(key)):
            meant.add(place)
            cuts[fault.present] = Cut(fault.present, key)
    causes = [fault for fault in faults if fault.details["type"] != "missing" or fault.location not in meant]
    causes = _without_foreign_keys(_without_lack_of_nodes(_without_told_lacks(_as_one_node(causes))))
    for fault in causes:
        cuts.setdefault(fault.present, Cut(fault.unreadable(), unknown=fault.details["type"] == "extra_forbidden"))
    return causes, list(cuts.values())


def _as_one_node(faults: list[Fault]) -> list[Fault]:
    """Put the keys of a node that stand at the top, in the place of `nodes`, into one finding: at its `id`."""
    nodes = faults[0].tree.get("nodes") if faults else None
    if not faults or not (nodes is None or is_null(nodes)):
        return faults
    keys = {"nodes", *known_keys(Node)}
    of_node = [fault for fault in faults if len(fault.location) == 1 and fault.location[0] in keys]
    first = next((fault for fault in of_node if fault.location == ("id",) and fault.entry is not None), None)
    if first is None or first.entry is None or not isinstance(first.entry.value, ScalarNode):
        return faults
    name = first.entry.value.text
    first.advice = f"write `nodes:`, and below it `- id: {name}` with the other keys of the node aligned with `id`"
    return [fault for fault in faults if fault is first or fault not in of_node]


def _without_told_lacks(faults: list[Fault]) -> list[Fault]:
    """Leave out required keys that lack as another word stands in their place, which is told."""
    words = [fault.location for fault in faults if fault.details["type"] == "extra_forbidden"]
    by_place: dict[Location, list[str]] = {}
    for location in words:
        by_place.setdefault(location[:-1], []).append(str(location[-1]))
    return [
        fault
        for fault in faults
        if fault.details["type"] != "missing"
        or not any(stands_for(word, str(fault.location[-1])) for word in by_place.get(fault.location[:-1], ()))
    ]


def _without_lack_of_nodes(faults: list[Fault]) -> list[Fault]:
    """Leave out that there are no `nodes` where they stand under an old key, which is told."""
    if not any(fault.details["type"] == "extra_forbidden" and fault.location[0] in NODE_SECTIONS for fault in faults):
        return faults
    return [fault for fault in faults if fault.details["type"] != "missing" or fault.location != ("nodes",)]


def _without_foreign_keys(faults: list[Fault]) -> list[Fault]:
    """Leave out the keys at the top of a file none of whose keys is known, where one that is required lacks."""
    if not any(fault.details["type"] == "missing" and len(fault.location) == 1 for fault in faults):
        return faults
    foreign = [fault for fault in faults if fault.details["type"] == "extra_forbidden" and len(fault.location) == 1]
    if not foreign or len(foreign) < len(foreign[0].tree.entries):
        return faults
    return [fault for fault in faults if fault not in foreign]
