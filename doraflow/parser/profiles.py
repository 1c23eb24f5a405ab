"""Profiles: named overlays of a dataflow, of which one may be chosen.

The chosen one is laid over the syntax tree before anything is read, so nothing after this knows of profiles. The others
are read as if they were chosen, as far as they go, so that a fault in one is found before it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label, Sink
from doraflow.parser.environment import check_environment
from doraflow.parser.kinds import describe
from doraflow.parser.model import Dataflow, Profile
from doraflow.parser.overlay import items_by_id, overlaid
from doraflow.parser.owners import known_keys, with_article
from doraflow.parser.read import read_model
from doraflow.parser.rules import check_nodes
from doraflow.parser.suggest import Choices, choices_text, nearest
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode, head_span, is_null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Span
    from doraflow.parser.syntax import SyntaxNode

_SECTION = "profiles"
_AS_A_MAP = "write a map, `NAME: …` on each line"


@dataclass(frozen=True, slots=True)
class _Profile:
    """A profile, and the nodes of the dataflow that it may change."""

    name: str
    nodes: Mapping[str, MappingNode]
    choices: Choices
    sink: Sink


def with_profile(dataflow: MappingNode, chosen: str | None, sink: Sink) -> MappingNode:
    """Give the dataflow without its profiles, and with the chosen one laid over it; faults of any are reported."""
    base = replace(dataflow, entries=tuple(entry for entry in dataflow.entries if entry.key.text != _SECTION))
    profiles = _profiles(dataflow.get(_SECTION), sink)
    if chosen is not None and chosen not in profiles:
        _tell_unknown(chosen, list(profiles), dataflow.key_span(_SECTION), sink)
    nodes = items_by_id(base.get("nodes")) if profiles else {}
    choices = Choices(tuple(nodes))
    result = base
    known = known_keys(Profile)
    for name, syntax in profiles.items():
        overlay = _readable(syntax, _Profile(name, nodes, choices, sink), known)
        if name == chosen:
            result = overlaid(base, overlay)
        elif not sink.is_flooded:
            _check(base, overlay, nodes, sink)
    return result


def _profiles(section: SyntaxNode | None, sink: Sink) -> dict[str, MappingNode]:
    if section is None or is_null(section):
        return {}
    if not isinstance(section, MappingNode):
        _tell_kind(f"`{_SECTION}`", section, sink)
        return {}
    found: dict[str, MappingNode] = {}
    for entry in section.entries:
        if isinstance(entry.value, MappingNode):
            found[entry.key.text] = entry.value
        elif is_null(entry.value):
            found[entry.key.text] = MappingNode((), entry.value.span)
        else:
            _tell_kind(f"`{entry.key.text}`", entry.value, sink)
    return found


def _readable(overlay: MappingNode, profile: _Profile, known: list[str]) -> MappingNode:
    """Leave out of a profile what cannot be laid over a dataflow, and report it; `known` are the keys it may have."""
    entries = []
    for entry in overlay.entries:
        key = entry.key.text
        if key not in known:
            near = nearest(key, known)
            help_text = f"write `{near[0]}`" if near else f"the keys of a profile are {choices_text(key, known, 50)}"
            profile.sink.error("DF101", f"a profile has no key `{key}`", entry.key.span, help=help_text)
        elif key != "nodes":
            entries.append(entry)
        elif isinstance(entry.value, MappingNode):
            entries.append(Entry(entry.key, _readable_nodes(entry.value, profile)))
        elif not is_null(entry.value):
            _tell_kind("`nodes` of a profile", entry.value, profile.sink, "write a map, `ID: {…}` on each line")
    return replace(overlay, entries=tuple(entries))


def _readable_nodes(nodes: MappingNode, profile: _Profile) -> MappingNode:
    entries = []
    for entry in nodes.entries:
        node = profile.nodes.get(entry.key.text)
        if node is None:
            _tell_unknown_node(entry.key, profile)
        elif _is_change(entry, "node", profile):
            entries.append(_with_known_operators(entry, node, profile))
    return replace(nodes, entries=tuple(entries))


def _with_known_operators(entry: Entry, node: MappingNode, profile: _Profile) -> Entry:
    """Leave out the changes of operators that a node has not, where operators are changed by their ids."""
    if not isinstance(entry.value, MappingNode):
        return entry
    changes, base = entry.value.get("operators"), node.get("operators")
    if not isinstance(changes, MappingNode) or not isinstance(base, SequenceNode):
        return entry
    operators = items_by_id(base)
    choices = Choices(tuple(operators))
    kept = []
    for change in changes.entries:
        if change.key.text not in operators:
            owner = f"`{entry.key.text}` has no operator `{change.key.text}`"
            _tell_misfit(change.key, owner, "operator", choices, profile)
        elif _is_change(change, "operator", profile):
            kept.append(change)
    known = replace(changes, entries=tuple(kept))
    entries = (Entry(old.key, known) if old.value is changes else old for old in entry.value.entries)
    return Entry(entry.key, replace(entry.value, entries=tuple(entries)))


def _is_change(entry: Entry, noun: str, profile: _Profile) -> bool:
    """Tell whether an entry says what changes; a profile neither adds, renames nor removes."""
    name = entry.key.text
    if is_null(entry.value):
        profile.sink.error(
            "DF124",
            f"`{name}` is empty in the profile `{profile.name}`, and a profile cannot take {with_article(noun)} away",
            entry.key.span,
            help="write below it what changes, or remove it",
        )
        return False
    if not isinstance(entry.value, MappingNode):
        _tell_kind(f"`{name}`", entry.value, profile.sink)
        return False
    renamed = entry.value.get("id")
    if isinstance(renamed, ScalarNode) and renamed.text != name:
        profile.sink.error(
            "DF124",
            f"the profile `{profile.name}` gives `{name}` another id, and a profile cannot rename {with_article(noun)}",
            renamed.span,
            help="remove `id`",
        )
        return False
    return True


def _check(base: MappingNode, overlay: MappingNode, nodes: Mapping[str, MappingNode], sink: Sink) -> None:
    """Read what a profile changes as if it were chosen, and report the faults that stand in the profile."""
    changed = overlay.get("nodes")
    ids = [entry.key.text for entry in changed.entries] if isinstance(changed, MappingNode) else []
    keys = {entry.key.text for entry in overlay.entries} - {"nodes"}
    listed = SequenceNode(tuple(nodes[name] for name in ids), base.span)
    head = Entry(ScalarNode("nodes", "nodes", base.span, plain=True), listed)
    part = replace(base, entries=(head, *(entry for entry in base.entries if entry.key.text in keys)))
    merged = overlaid(part, overlay)
    found = Sink(strict=sink.strict)
    reading = read_model(Dataflow, merged, found)
    if reading is not None:
        check_nodes(reading.model.nodes, reading.tree, found, reading.gaps)
    check_environment(merged.get("env"), found)
    for diagnostic in found.found:
        if diagnostic.span is not None and _is_inside(diagnostic.span, overlay.span):
            sink.add(diagnostic)


def _is_inside(span: Span, around: Span) -> bool:
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return (around.line, around.column) <= start and end <= (around.end_line, around.end_column)


def _tell_unknown(chosen: str, profiles: list[str], section: Span | None, sink: Sink) -> None:
    if not profiles:
        sink.error(
            "DF123",
            f"there is no profile `{chosen}`: the dataflow has none",
            section,
            help=f"leave `--profile {chosen}` out, or add it under `profiles`",
        )
        return
    near = nearest(chosen, profiles)
    sink.error(
        "DF123",
        f"there is no profile `{chosen}`; the profiles are {choices_text(chosen, profiles)}",
        section,
        help=f"to choose the closest one, write `--profile {(near or profiles)[0]}`",
    )


def _tell_unknown_node(key: ScalarNode, profile: _Profile) -> None:
    outer = key.text.partition(".")[0]
    module = profile.nodes[outer].get("module") if outer in profile.nodes else None
    if module is None:
        _tell_misfit(key, f"there is no node `{key.text}`", "node", profile.choices, profile)
        return
    profile.sink.error(
        "DF124",
        f"the profile `{profile.name}` changes `{key.text}`, which lies inside the module of `{outer}`",
        key.span,
        related=[Label(head_span(module), "the module is included here")],
        help=f"change `env`, `params` or `module` of `{outer}`",
    )


def _tell_misfit(key: ScalarNode, reason: str, noun: str, choices: Choices, profile: _Profile) -> None:
    near = choices.near(key.text)
    profile.sink.error(
        "DF124",
        f"the profile `{profile.name}` changes `{key.text}`, but {reason}; the {noun}s are {choices.text(near)}",
        key.span,
        help=f"to change the closest {noun}, write `{near[0]}`"
        if near
        else f"remove it: a profile adds no {noun}, it changes those of the dataflow",
    )


def _tell_kind(name: str, found: SyntaxNode, sink: Sink, help_text: str = _AS_A_MAP) -> None:
    kind = describe(list(found.items) if isinstance(found, SequenceNode) else found)
    sink.error("DF103", f"{name} is {kind}, expected a map", head_span(found), help=help_text)
