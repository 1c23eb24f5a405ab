"""The rules of all old dialects in their order, and a file's syntax made modern by them.

Each construct is told once a file, however often it stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.diagnostics import Diagnostic, Label, Severity
from doraflow.parser.dialects.custom import find_custom, find_run
from doraflow.parser.dialects.edits import carried_out
from doraflow.parser.dialects.environment import find_environment, find_environment_list
from doraflow.parser.dialects.foreign import find_adora, package_of_dora_manager
from doraflow.parser.dialects.links import find_links
from doraflow.parser.dialects.operators import find_shared_library
from doraflow.parser.dialects.sections import find_sections
from doraflow.parser.dialects.unstable import find_debug, find_deploy
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.dialects.finding import Found, Rule
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

ROOT_RULES: tuple[Rule, ...] = (find_links, find_sections, find_deploy, find_debug, find_environment)
PROFILE_RULES: tuple[Rule, ...] = (find_deploy, find_debug, find_environment)
NODE_RULES: tuple[Rule, ...] = (
    find_custom,
    find_run,
    find_deploy,
    find_environment,
    find_shared_library,
    find_adora,
)
RULES_FOR_OLD_FILES: tuple[Rule, ...] = (find_environment_list, *NODE_RULES)
"""What is read so only in a file that is old by another sign, as it is a mistake in a modern one."""
MOST_LABELS = 3

# What no file of an old dialect lacks. Most files hold none of it, and are not walked through.
_TRACES = re.compile(
    r"custom|run['\"]?\s*:|_unstable_|envs|__dora_env|env['\"]?\s*:\s*[\[#-]|shared_library|adora/|"
    r"communication|daemon_config|publish_all_messages_to_zenoh|sources|sinks|operators|node['\"]?\s*:"
)


@dataclass(frozen=True, slots=True)
class PlacedEdit:
    """An edit, and the location of the mapping that its path begins at."""

    scope: Location
    edit: Edit


@dataclass(frozen=True, slots=True)
class Modern:
    """A file's syntax in the modern dialect, what was old in it, and the edits that made it modern, in order."""

    tree: MappingNode
    found: tuple[Found, ...] = ()
    edits: tuple[PlacedEdit, ...] = ()


def modernise(tree: MappingNode, text: str, sink: Sink) -> MappingNode | None:
    """Give the modern form of a dataflow or module file, with a note for each old construct.

    `text` is the file's text. None for a file of dora-manager, which is told.
    """
    if not may_be_old(text):
        return tree
    if refuse_dora_manager(tree, sink):
        return None
    modern = modern_form(tree)
    for message in dict.fromkeys(found.message for found in modern.found if not found.foreign):
        _tell([found for found in modern.found if found.message == message], sink)
    foreign = [found for found in modern.found if found.foreign]
    if foreign:
        _tell(foreign, sink)
    return modern.tree


def may_be_old(text: str) -> bool:
    """Tell whether a file's text holds anything that no file of an old dialect, or of another tool, lacks."""
    return _TRACES.search(text) is not None


def modern_form(tree: MappingNode) -> Modern:
    """Carry out all rules on a file, and on the profiles in it."""
    work = _Work()
    tree = work.applied(ROOT_RULES, tree, ())
    is_old = work.found or any(_is_old(node) for node in _all_nodes(tree))
    rules = RULES_FOR_OLD_FILES if is_old else NODE_RULES
    tree = _changed(tree, "nodes", lambda nodes: work.each_applied(rules, nodes, ("nodes",)))

    def of_profile(profile: SyntaxNode, scope: Location) -> SyntaxNode:
        if not isinstance(profile, MappingNode):
            return profile
        changed = work.applied(PROFILE_RULES, profile, scope)
        return _changed(changed, "nodes", lambda nodes: work.each_applied(rules, nodes, (*scope, "nodes")))

    tree = _changed(tree, "profiles", lambda profiles: _each(profiles, ("profiles",), of_profile))
    return Modern(tree, tuple(work.found), tuple(work.edits))


class _Work:
    """What has been found in one file so far, and the edits for it."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.edits: list[PlacedEdit] = []

    def applied(self, rules: Sequence[Rule], mapping: MappingNode, scope: Location) -> MappingNode:
        """Carry out rules on a mapping, one after the other."""
        for rule in rules:
            for construct in list(rule(mapping)):
                self.found.append(construct)
                for edit in construct.edits:
                    mapping = carried_out(mapping, edit)
                    self.edits.append(PlacedEdit(scope, edit))
        return mapping

    def each_applied(self, rules: Sequence[Rule], holder: SyntaxNode, scope: Location) -> SyntaxNode:
        """Carry out rules on every mapping in a list, or below a key."""

        def change(node: SyntaxNode, place: Location) -> SyntaxNode:
            return self.applied(rules, node, place) if isinstance(node, MappingNode) else node

        return _each(holder, scope, change)


def _each(holder: SyntaxNode, scope: Location, change: Callable[[SyntaxNode, Location], SyntaxNode]) -> SyntaxNode:
    """Change each value of a list or mapping; the same one is given back where nothing changes."""
    if isinstance(holder, SequenceNode):
        items = [change(item, (*scope, position)) for position, item in enumerate(holder.items)]
        is_same = all(item is old for item, old in zip(items, holder.items, strict=True))
        return holder if is_same else replace(holder, items=tuple(items))
    if isinstance(holder, MappingNode):
        values = [change(entry.value, (*scope, entry.key.text)) for entry in holder.entries]
        pairs = list(zip(holder.entries, values, strict=True))
        is_same = all(value is entry.value for entry, value in pairs)
        return (
            holder if is_same else replace(holder, entries=tuple(replace(entry, value=value) for entry, value in pairs))
        )
    return holder


def _changed(mapping: MappingNode, key: str, change: Callable[[SyntaxNode], SyntaxNode]) -> MappingNode:
    value = mapping.get(key)
    fresh = change(value) if value is not None else None
    if fresh is None or fresh is value:
        return mapping
    entries = (replace(entry, value=fresh) if entry.value is value else entry for entry in mapping.entries)
    return replace(mapping, entries=tuple(entries))


def _all_nodes(tree: MappingNode) -> Iterator[SyntaxNode]:
    """List the nodes of a file, and what its profiles change in them."""
    nodes, profiles = tree.get("nodes"), tree.get("profiles")
    yield from nodes.items if isinstance(nodes, SequenceNode) else ()
    for profile in profiles.entries if isinstance(profiles, MappingNode) else ():
        changes = profile.value.get("nodes") if isinstance(profile.value, MappingNode) else None
        yield from (entry.value for entry in changes.entries) if isinstance(changes, MappingNode) else ()


def _is_old(node: SyntaxNode) -> bool:
    return isinstance(node, MappingNode) and (node.get("custom") is not None or node.get("run") is not None)


def _tell(found: Sequence[Found], sink: Sink) -> None:
    first, *others = found
    related = [Label(other.span, "and here") for other in others[:MOST_LABELS]]
    left = len(others) - MOST_LABELS
    notes = [f"and at {left} more place{'' if left == 1 else 's'} of this file"] if left > 0 else []
    severity, code = (Severity.ERROR, "DF130") if first.foreign else (Severity.NOTE, "DF113")
    help_text = f"{first.help}; `doraflow migrate --in-place {first.span.file}` does it for the whole file"
    sink.add(Diagnostic(code, severity, first.message, first.span, "", tuple(related), tuple(notes), help_text))


def refuse_dora_manager(tree: MappingNode, sink: Sink) -> bool:
    """Tell whether a file is one of dora-manager's, and report it if so."""
    nodes = tree.get("nodes")
    for node in nodes.items if isinstance(nodes, SequenceNode) else ():
        span = package_of_dora_manager(node)
        if span is not None:
            sink.error(
                "DF130",
                "this is a dataflow of dora-manager: `node` names a package that only `dm` can resolve",
                span,
                help="run it with `dm`, or write `path` with the program of each node in place of `node` and `config`",
            )
            return True
    return False
