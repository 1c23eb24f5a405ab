"""Communication patterns: the metadata that their messages carry, and the ports that a node needs to follow one.

Services and actions go both ways, so a node that follows one has an input and an output.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.parser.syntax import head_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.parser.keys import PortKeys
    from doraflow.parser.syntax import MappingNode

METADATA: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "service-server": ("request_id",),
        "service-client": ("request_id",),
        "action-server": ("goal_id", "goal_status"),
        "action-client": ("goal_id",),
    }
)


def metadata_keys(keys: PortKeys, output: str) -> tuple[str, ...]:
    """List the metadata keys that messages of an output carry: those that are written, then those of the pattern."""
    implied = METADATA.get(keys.pattern or "", ())
    return tuple(dict.fromkeys((*keys.output_metadata.get(output, ()), *implied)))


def check_pattern(name: str, keys: PortKeys, syntax: MappingNode, gaps: frozenset[str], sink: Sink) -> None:
    """Report a pattern on a node or operator that cannot follow it; `gaps` are keys that could not be read whole."""
    pattern = syntax.get("pattern")
    if keys.pattern is None or pattern is None or gaps:
        return
    lacking = [kind for kind, ports in (("input", keys.inputs), ("output", keys.outputs)) if not ports]
    if lacking:
        sink.warning(
            "DF307",
            f"`{name}` follows the pattern `{keys.pattern}` and has no {' and no '.join(lacking)}: "
            "requests and answers go both ways",
            head_span(pattern),
            help=f"declare its {lacking[0]}, or remove `pattern`",
        )
