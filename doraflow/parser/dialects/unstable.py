"""Keys that were marked `_unstable_` before dora 1.0, and the old name of the switch in `debug`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Rename
from doraflow.parser.dialects.finding import Found
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.recovery import Location

_OLD_SWITCH = "publish_all_messages_to_zenoh"
_SWITCH = "enable_debug_inspection"


def find_deploy(holder: MappingNode) -> Iterator[Found]:
    """Find `_unstable_deploy` of a node or a whole dataflow."""
    yield from _renamed(holder, "_unstable_deploy", "deploy", ())


def find_debug(root: MappingNode) -> Iterator[Found]:
    """Find `_unstable_debug`, and the old switch in it or in `debug`."""
    yield from _renamed(root, "_unstable_debug", "debug", ())
    debug = root.get("debug") or root.get("_unstable_debug")
    if isinstance(debug, MappingNode):
        yield from _renamed(debug, _OLD_SWITCH, _SWITCH, ("debug",))


def _renamed(holder: MappingNode, old: str, new: str, path: Location) -> Iterator[Found]:
    span = holder.key_span(old)
    if span is not None and holder.get(new) is None:
        yield Found(f"`{old}` is an old spelling of `{new}`", f"write `{new}`", span, (Rename(path, old, new),))
