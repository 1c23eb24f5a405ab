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
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink
    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.dialects.finding import Found, Rule
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

ROOT_RULES: tuple[Rule, ...] = (find_links, find_sections, find_deploy, find_debug, find_environment)
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
    r"custom|run['\"]?\s*:|_unstable_|envs|__dora_env|env['\"]?\s*:[^\S\n]*(?:#[^\n]*)?(?:\n\s*)*[\[-]|shared_library|adora/|"
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
    """Carry out all rules on a file."""
    found: list[Found] = []
    edits: list[PlacedEdit] = []
    for rule in ROOT_RULES:
        tree = _apply(rule, tree, (), found, edits)
    nodes = tree.get("nodes")
    if not isinstance(nodes, SequenceNode):
        return Modern(tree, tuple(found), tuple(edits))
    items = list(nodes.items)
    rules = RULES_FOR_OLD_FILES if found or any(_is_old(item) for item in items) else NODE_RULES
    for position, item in enumerate(items):
        if isinstance(item, MappingNode):
            for rule in rules:
                item = _apply(rule, item, ("nodes", position), found, edits)  # noqa: PLW2901 - rule after rule
            items[position] = item
    if found:
        entries = (
            replace(entry, value=replace(nodes, items=tuple(items))) if entry.value is nodes else entry
            for entry in tree.entries
        )
        tree = replace(tree, entries=tuple(entries))
    return Modern(tree, tuple(found), tuple(edits))


def _is_old(node: SyntaxNode) -> bool:
    return isinstance(node, MappingNode) and (node.get("custom") is not None or node.get("run") is not None)


def _apply(
    rule: Rule, mapping: MappingNode, scope: Location, found: list[Found], edits: list[PlacedEdit]
) -> MappingNode:
    for construct in list(rule(mapping)):
        found.append(construct)
        for edit in construct.edits:
            mapping = carried_out(mapping, edit)
            edits.append(PlacedEdit(scope, edit))
    return mapping


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
