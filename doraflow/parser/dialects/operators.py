"""Old spellings in operators: `shared_library`, which is written with a hyphen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Rename
from doraflow.parser.dialects.finding import Found
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.recovery import Location

_OLD, _NEW = "shared_library", "shared-library"


def find_shared_library(node: MappingNode) -> Iterator[Found]:
    """Find `shared_library` in the operators of a node."""
    single, several = node.get("operator"), node.get("operators")
    places: list[tuple[Location, object]] = [(("operator",), single)]
    if isinstance(several, SequenceNode):
        places += [(("operators", position), item) for position, item in enumerate(several.items)]
    elif isinstance(several, MappingNode):  # as a profile writes them
        places += [(("operators", entry.key.text), entry.value) for entry in several.entries]
    for path, operator in places:
        if isinstance(operator, MappingNode) and operator.get(_NEW) is None:
            span = operator.key_span(_OLD)
            if span is not None:
                message = f"`{_OLD}` is an old spelling of `{_NEW}`"
                yield Found(message, f"write `{_NEW}`", span, (Rename(path, _OLD, _NEW),))
