"""Rules that join several keys of a node that is a ROS 2 bridge: what it bridges, and the ports that this needs.

The kinds of the values have been judged by `doraflow.parser.ros2_model`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span, is_null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode

MOST_TOPICS = 64

_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "topic": ("message_type",),
        "topics": (),
        "service": ("service_type", "role"),
        "action": ("action_type", "role"),
    }
)
# What travels through the ports of a bridge to a service or action, by its role: in, out.
_TRAVELS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("service", "client"): ("the request", "the response"),
        ("service", "server"): ("the response", "the request"),
        ("action", "client"): ("the goal", "feedback and result"),
        ("action", "server"): ("feedback and result", "the goal"),
    }
)


def check_bridge(bridge: MappingNode, node: MappingNode, sink: Sink) -> None:
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
    if len(modes) == 1:
        _check_ports(modes[0], bridge, node, sink)


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


def _check_ports(mode: ScalarNode, bridge: MappingNode, node: MappingNode, sink: Sink) -> None:
    """Report a bridge without the ports that its subject needs."""
    if mode.text == "topics":
        _check_topics(mode, bridge.get("topics"), node, sink)
        return
    if mode.text == "topic":
        publishes = _text(bridge, "direction") == "publish"
        travels = ("what the topic is to carry", "") if publishes else ("", "what the topic carries")
    else:
        travels = _TRAVELS.get((mode.text, _text(bridge, "role")), ("", ""))
    for key, what in zip(("inputs", "outputs"), travels, strict=True):
        if what and not _ports(node, key):
            _tell_missing(mode, key, what, sink)


def _check_topics(mode: ScalarNode, topics: SyntaxNode | None, node: MappingNode, sink: Sink) -> None:
    items = topics.items if isinstance(topics, SequenceNode) else ()
    if not items:
        sink.error("DF110", "this bridge bridges nothing: `topics` is empty", mode.span, help="add a topic to it")
    if len(items) > MOST_TOPICS:
        sink.error(
            "DF104",
            f"`topics` lists {len(items)}, expected at most {MOST_TOPICS}",
            head_span(items[MOST_TOPICS]),
            help="write another bridge for the rest",
        )
    told: set[str] = set()
    for item in items:
        if not isinstance(item, MappingNode):
            continue
        publishes = _text(item, "direction") == "publish"
        key, what = ("inputs", "what a topic is to carry") if publishes else ("outputs", "what a topic carries")
        if _ports(node, key):
            _check_port_of_topic(item, key, node, sink)
        elif key not in told:
            told.add(key)
            _tell_missing(mode, key, what, sink)


def _check_port_of_topic(topic: MappingNode, key: str, node: MappingNode, sink: Sink) -> None:
    """Report a topic whose port the node does not declare; one that is not named is called after its topic."""
    named = topic.get(key.removesuffix("s"))
    subject = topic.get("topic")
    if not isinstance(subject, ScalarNode):
        return
    port = named.text if isinstance(named, ScalarNode) else subject.text.removeprefix("/").replace("/", "_")
    if port in _ports(node, key):
        return
    kind = key.removesuffix("s")
    sink.warning(
        "DF129",
        f"the topic `{subject.text}` is bridged to the {kind} `{port}`, which the node does not declare",
        head_span(named if named is not None else subject),
        help=f"add `{port}` to the `{key}` of the node, or name one of them with `{kind}: …`",
    )


def _tell_missing(mode: ScalarNode, key: str, what: str, sink: Sink) -> None:
    mend = "`inputs: {NAME: NODE/OUTPUT}`" if key == "inputs" else "`outputs: [NAME]`"
    sink.error(
        "DF129",
        f"this bridge has no {key.removesuffix('s')} for {what}",
        mode.span,
        help=f"add {mend} to the node",
    )


def _ports(node: MappingNode, key: str) -> list[str]:
    ports = node.get(key)
    if isinstance(ports, MappingNode):
        return [entry.key.text for entry in ports.entries]
    items = ports.items if isinstance(ports, SequenceNode) else ()
    return [item.text for item in items if isinstance(item, ScalarNode)]


def _text(mapping: MappingNode, key: str) -> str:
    value = mapping.get(key)
    return value.text if isinstance(value, ScalarNode) else ""
