"""Which inputs of a run read logs, and of whom: the links whose producer is the launcher.

What a node writes arrives at the launcher alone, so it sends these messages itself: those of `dora/logs` inputs, and of
outputs that carry the lines or records of their node. For the readers it is one more producer, by the name of
LOG_PRODUCER, that never holds anything back. Pure; `log_readers` sends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from doraflow_runtime.contract import LOG_LEVELS, Link
from doraflow_runtime.launcher.records import passes

if TYPE_CHECKING:
    from doraflow_runtime.contract import HostWiring, InputWiring, LogLevel, NodeWiring

LOG_PRODUCER = "dora/logs"
"""No node can have this name."""

Carried: TypeAlias = Literal["lines", "records"]


@dataclass(frozen=True, slots=True)
class LogLink:
    """An input that reads lines of output, or records, of `node` (empty: of all others), if they are grave enough.

    `structured` says that lines to which their program gave no level are no records here. `index` is the number of the
    link on the connection to `consumer`, where at most `queue_size` messages wait.
    """

    index: int
    consumer: str
    input: str
    queue_size: int
    carries: Carried = "records"
    node: str = ""
    lowest: LogLevel = "stdout"
    structured: bool = False

    def hears(self, node: str) -> bool:
        """Tell whether what `node` writes is of interest.

        No node is told of its own log, lest it answer itself for ever; it may read its own output if it says so.
        """
        is_output = self.carries == "lines" or self.structured
        return (node != self.consumer or is_output) and self.node in ("", node)

    def takes(self, level: LogLevel, *, is_structured: bool) -> bool:
        """Tell whether a record is wanted."""
        return passes(level, self.lowest) and (is_structured or not self.structured)

    def as_link(self) -> Link:
        """Give the link as its reader sees it."""
        return Link(self.index, LOG_PRODUCER, "", self.consumer, self.input)


def log_links(wiring: HostWiring) -> tuple[LogLink, ...]:
    """List the links that the launcher sends on, numbered for each reader."""
    found: list[LogLink] = []
    nodes = {node.id: node for node in wiring.nodes}
    ports = {(node.id, port.id): port for node in wiring.nodes for port in node.inputs}
    for node in wiring.nodes:
        found += [_subscription(node.id, port) for port in node.inputs if is_subscription(port)]
    for link in wiring.links:
        producer, port = nodes.get(link.producer), ports.get((link.consumer, link.input))
        if producer is not None and port is not None:
            found += _of_output(link, producer, port)
    counts: dict[str, int] = {}
    numbered = []
    for each in found:
        counts[each.consumer] = counts.get(each.consumer, 0) + 1
        numbered.append(replace(each, index=counts[each.consumer]))
    return tuple(numbered)


def is_subscription(port: InputWiring) -> bool:
    """Tell whether an input reads the log: `dora/logs`, `dora/logs/LEVEL` or `dora/logs/LEVEL/NODE`."""
    return port.source == LOG_PRODUCER or port.source.startswith(f"{LOG_PRODUCER}/")


def is_of_log(link: Link, producer: NodeWiring | None) -> bool:
    """Tell whether a link begins at an output that carries the log of its node."""
    return producer is not None and link.output in (producer.logs.lines_to, producer.logs.records_to)


def without_backpressure(node: NodeWiring, links: tuple[LogLink, ...]) -> NodeWiring:
    """Let inputs that read logs drop what they have no room for: a log holds back nobody."""
    names = {link.input for link in links if link.consumer == node.id}
    if not names:
        return node
    inputs = tuple(replace(port, queue_policy="drop_oldest") if port.id in names else port for port in node.inputs)
    return replace(node, inputs=inputs)


def _subscription(consumer: str, port: InputWiring) -> LogLink:
    _, _, level, node = f"{port.source}///".split("/", 3)
    lowest = next((known for known in LOG_LEVELS if known == level), LOG_LEVELS[-1])
    return LogLink(0, consumer, port.id, port.queue_size, node=node.strip("/"), lowest=lowest)


def _of_output(link: Link, producer: NodeWiring, port: InputWiring) -> list[LogLink]:
    made = LogLink(0, link.consumer, link.input, port.queue_size, node=producer.id)
    found = [replace(made, carries="lines")] if link.output == producer.logs.lines_to else []
    return [*found, replace(made, structured=True)] if link.output == producer.logs.records_to else found
