"""What of an old dialect the rules leave as it is, and why: told where it stands, so that nothing is left in silence.

Looked for in the modern form of a file, where whatever is left of an old dialect could not be rewritten.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.dialects.links import OLD_LINK_KEYS
from doraflow.parser.kinds import describe
from doraflow.parser.old_keys import OLD_KEYS
from doraflow.parser.rules import IMPLEMENTATIONS
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import Entry, SyntaxNode

# Old keys and what they are called today, by where they stand.
_AT_THE_TOP: Mapping[str, str] = MappingProxyType(
    {"_unstable_deploy": "deploy", "_unstable_debug": "debug", "envs": "env"}
)
_SECTIONS = ("sources", "operators", "sinks")
_IN_A_NODE: Mapping[str, str] = MappingProxyType({"_unstable_deploy": "deploy", "envs": "env"})
_IN_AN_OPERATOR: Mapping[str, str] = MappingProxyType({"shared_library": "shared-library"})
_IN_DEBUG: Mapping[str, str] = MappingProxyType({"publish_all_messages_to_zenoh": "enable_debug_inspection"})
_IN_CUSTOM: Mapping[str, str] = MappingProxyType({"envs": "env", "source": "path", "run": "path"})


def tell_leftovers(tree: MappingNode, sink: Sink) -> None:
    """Report every old construct in the modern form of a file (DF131)."""
    for key in _SECTIONS:
        entry = tree.entry(key)
        if entry is not None:
            _tell_section(tree, entry, sink)
    communication = tree.get("communication")
    for entry in communication.entries if isinstance(communication, MappingNode) else ():
        if entry.key.text in OLD_LINK_KEYS:
            reason = "`communication` holds keys of today too"
            _tell(entry, reason, f"remove `{entry.key.text}`: the links are chosen when the dataflow is built", sink)
    profiles = tree.get("profiles")
    changes = [entry.value for entry in profiles.entries] if isinstance(profiles, MappingNode) else []
    for holder in (tree, *changes):
        if isinstance(holder, MappingNode):
            _tell_renamed(holder, _AT_THE_TOP, sink)
            _tell_renamed(holder.get("debug"), _IN_DEBUG, sink)
            for node in _values(holder.get("nodes")):
                if isinstance(node, MappingNode):
                    _tell_node(node, sink)


def _tell_node(node: MappingNode, sink: Sink) -> None:
    _tell_renamed(node, _IN_A_NODE, sink)
    for operator in (node.get("operator"), *_values(node.get("operators"))):
        _tell_renamed(operator, _IN_AN_OPERATOR, sink)
    _tell_list(node.entry("env"), sink)
    custom, run = node.entry("custom"), node.entry("run")
    if custom is not None:
        _tell_custom(node, custom, sink)
    elif run is not None:
        beside = _first(node, (*IMPLEMENTATIONS, "source", "args"))
        _tell_beside(node, run, beside, f"write `path` and `args` in the place of `run` and `{beside}`", sink)


def _tell_custom(node: MappingNode, custom: Entry, sink: Sink) -> None:
    beside = _first(node, IMPLEMENTATIONS)
    if beside is not None or not isinstance(custom.value, MappingNode):
        _tell_beside(
            node, custom, beside, f"remove `custom`, or remove `{beside}` and run `doraflow migrate` again", sink
        )
        return
    for entry in custom.value.entries:
        key = entry.key.text
        modern = _IN_CUSTOM.get(key, key)
        if node.get(modern) is not None:
            mend = "remove one of the two, then run `doraflow migrate` again"
            _tell(custom, f"`{key}` in it and `{modern}` beside it are the same key", mend, sink, node, modern)
            return


def _tell_list(env: Entry | None, sink: Sink) -> None:
    """Report an environment that is a list of maps in which a name stands twice."""
    items = env.value.items if env is not None and isinstance(env.value, SequenceNode) else ()
    names = [entry.key.text for item in items if isinstance(item, MappingNode) for entry in item.entries]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if env is not None and twice is not None:
        mend = f"remove one `{twice}`, then run `doraflow migrate` again"
        _tell(env, f"it is a list in which `{twice}` stands twice", mend, sink)


def _tell_section(tree: MappingNode, entry: Entry, sink: Sink) -> None:
    beside = "nodes" if tree.get("nodes") is not None else None
    if beside is None and isinstance(entry.value, SequenceNode):
        mend = OLD_KEYS[entry.key.text]
        _tell(entry, "its entries are operators of today, which stand in a node", mend, sink)
        return
    mend = f"move the entries of `{entry.key.text}` to `nodes`, each with its `path`, `inputs` and `outputs`"
    _tell_beside(tree, entry, beside, mend, sink, wanted="a list of nodes")


def _tell_renamed(holder: SyntaxNode | None, names: Mapping[str, str], sink: Sink) -> None:
    for entry in holder.entries if isinstance(holder, MappingNode) else ():
        modern = names.get(entry.key.text)
        if modern is not None and isinstance(holder, MappingNode):
            _tell_beside(holder, entry, modern, f"put what holds under `{modern}`, and remove `{entry.key.text}`", sink)


def _tell_beside(
    holder: MappingNode, entry: Entry, beside: str | None, mend: str, sink: Sink, wanted: str = "a map"
) -> None:
    """Report a key that another one stands in the way of, or that holds something else than it must."""
    if beside is not None:
        _tell(entry, f"`{beside}` stands beside it, and one of the two would be lost", mend, sink, holder, beside)
        return
    value = entry.value
    found = describe(list(value.items) if isinstance(value, SequenceNode) else value)
    _tell(entry, f"it is {found}, expected {wanted}", f"write {wanted} below `{entry.key.text}:`", sink)


def _tell(
    entry: Entry, reason: str, mend: str, sink: Sink, holder: MappingNode | None = None, beside: str = ""
) -> None:
    other = holder.key_span(beside) if holder is not None else None
    sink.error(
        "DF131",
        f"`{entry.key.text}` is an old spelling that cannot be rewritten: {reason}",
        entry.key.span,
        related=[Label(other, f"`{beside}` stands here")] if other is not None else [],
        help=mend,
    )


def _first(holder: MappingNode, keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if holder.get(key) is not None), None)


def _values(holder: SyntaxNode | None) -> Iterator[SyntaxNode]:
    """List the entries of a list, or the values of a mapping."""
    if isinstance(holder, SequenceNode):
        yield from holder.items
    elif isinstance(holder, MappingNode):
        yield from (entry.value for entry in holder.entries)
