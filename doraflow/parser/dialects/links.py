"""Sections that chose the links of a whole dataflow before dora 1.0, and choose nothing today.

doraflow's own `communication` has other keys, `local` and `remote`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Remove
from doraflow.parser.dialects.finding import Found
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD_LINK_KEYS = frozenset({"zenoh", "zenoh_prefix", "iceoryx", "_unstable_local", "_unstable_remote"})


def find_links(root: MappingNode) -> Iterator[Found]:
    """Find an old `communication` or `daemon_config` section."""
    for key in ("communication", "daemon_config"):
        span, section = root.key_span(key), root.get(key)
        if span is not None and (key == "daemon_config" or _is_old(section)):
            message = f"`{key}` in this form is of no use any more: the links are chosen when the dataflow is built"
            yield Found(message, f"remove `{key}`", span, (Remove((), key),))


def _is_old(section: object) -> bool:
    keys = [entry.key.text for entry in section.entries] if isinstance(section, MappingNode) else []
    return bool(keys) and all(key in OLD_LINK_KEYS for key in keys)
