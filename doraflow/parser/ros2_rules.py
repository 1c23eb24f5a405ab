"""Rules that join several keys of a ROS 2 bridge: what it bridges, and what that needs.

The kinds of the values have been judged by `doraflow.parser.ros2_model`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.syntax import MappingNode, ScalarNode, head_span, is_null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink

_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "topic": ("message_type",),
        "topics": (),
        "service": ("service_type", "role"),
        "action": ("action_type", "role"),
    }
)


def check_bridge(bridge: MappingNode, sink: Sink) -> None:
    """Judge the `ros2` section of a node."""
    given = [entry for entry in bridge.entries if not is_null(entry.value)]
    names = [entry.key.text for entry in given]
    modes = [entry.key for entry in given if entry.key.text in _NEEDED]
    if not modes:
        sink.error(
            "DF110",
            "this bridge bridges nothing: none of `topic`, `topics`, `service` and `action` is given",
            head_span(bridge),
            help="add `topic: …` with the name of the ROS 2 topic",
        )
        return
    for other in modes[1:]:
        sink.error(
            "DF109",
            f"`{modes[0].text}` and `{other.text}` exclude one another: a bridge has one subject",
            other.span,
            related=[Label(modes[0].span, f"`{modes[0].text}` is given here")],
            help="write a node for each",
        )
    for key in _NEEDED[modes[0].text]:
        if key not in names:
            sink.error("DF102", f"`{modes[0].text}` needs `{key}` beside it", modes[0].span, help=f"add `{key}: …`")
    _check_transport(bridge, sink)


def _check_transport(bridge: MappingNode, sink: Sink) -> None:
    transport = bridge.get("transport")
    kind = transport.get("kind") if isinstance(transport, MappingNode) else None
    if not isinstance(transport, MappingNode) or not isinstance(kind, ScalarNode) or kind.text != "zenoh":
        return
    if transport.get("compatibility") is None:
        sink.error(
            "DF102",
            "`kind: zenoh` needs `compatibility` beside it",
            kind.span,
            help="add `compatibility: humble` or `compatibility: rep2016`",
        )
