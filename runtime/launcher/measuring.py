"""What the nodes of a run measure, kept for some seconds and made into rates and percentiles.

Nodes tell what they have counted since they began; nothing here asks them.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import NodeMetrics, PortMetrics
from doraflow_runtime.delays import Delays, from_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

WINDOW_SECONDS = 10.0
FEW = 10
"""Delays that say less than those of the whole life of a node."""
_MOST_PORTS = 20_000
_FIELDS = 8


@dataclass(frozen=True, slots=True)
class PortCount:
    """What a node has counted of a port since it began."""

    is_input: bool
    port: str
    messages: int
    bytes: int
    dropped: int
    queued: int
    errors: int
    delays: Delays


@dataclass(frozen=True, slots=True)
class Counted:
    """A part of what a node has counted; `is_last` ends one telling."""

    ports: tuple[PortCount, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: float
    ports: Mapping[tuple[bool, str], PortCount]
    cpu_ms: int


@dataclass(slots=True)
class _History:
    process: int
    part: dict[tuple[bool, str], PortCount] = field(default_factory=dict)
    snapshots: deque[_Snapshot] = field(default_factory=deque)


def read_counted(rows: Sequence[object], *, is_last: bool) -> Counted | None:
    """Read what a node has told; None if it is not what it should be.

    >>> read_counted([["in", "image", 3, 300, 0, 1, 0, [[4, 3]]]], is_last=True).ports[0].messages
    3
    """
    ports = [_port(row) for row in rows[:_MOST_PORTS]]
    told = tuple(port for port in ports if port is not None)
    return Counted(told, is_last) if len(told) == len(ports) else None


def _port(row: object) -> PortCount | None:
    if not isinstance(row, list) or len(row) != _FIELDS:
        return None
    side, port, *counts, pairs = row
    if side not in ("in", "out") or not isinstance(port, str) or not isinstance(pairs, list):
        return None
    if not _are_counts(counts) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        return None
    if not all(_are_counts(pair) for pair in pairs):
        return None
    messages, size, dropped, queued, errors = counts
    return PortCount(side == "in", port, messages, size, dropped, queued, errors, from_pairs(pairs))


def _are_counts(values: Iterable[object]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


class Measurements:
    """What every node has told lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._nodes: dict[str, _History] = {}

    def take(self, node: str, process: int, counted: Counted, cpu_ms: int) -> None:
        """Take a part of what a node has told; another `process` begins anew."""
        now = self._clock()
        history = self._nodes.get(node)
        if history is None or history.process != process:
            history = self._nodes[node] = _History(process)
        for port in counted.ports:
            history.part[port.is_input, port.port] = port
        if not counted.is_last:
            return
        history.snapshots.append(_Snapshot(now, history.part, cpu_ms))
        history.part = {}
        while len(history.snapshots) > 2 and history.snapshots[1].at <= now - WINDOW_SECONDS:
            history.snapshots.popleft()

    def count(self, node: str, process: int) -> int:
        """Say how often this process of a node has told something that is still kept."""
        history = self._nodes.get(node)
        return len(history.snapshots) if history is not None and history.process == process else 0

    def of(self, node: str, process: int) -> NodeMetrics:
        """Make the metrics of a node."""
        now = self._clock()
        if not self.count(node, process):
            return NodeMetrics(node)
        snapshots = self._nodes[node].snapshots
        first, last = snapshots[0], snapshots[-1]
        seconds = last.at - first.at
        inputs: list[PortMetrics] = []
        outputs: list[PortMetrics] = []
        lately = Delays()
        for key, port in last.ports.items():
            made, delays = _metrics(port, first.ports.get(key), seconds)
            lately.merge(delays)
            (inputs if port.is_input else outputs).append(made)
        cpu = int((last.cpu_ms - first.cpu_ms) / seconds) if seconds else 0
        p50, p99 = lately.percentile(50), lately.percentile(99)
        return NodeMetrics(node, int((now - last.at) * 1000), max(0, cpu), p50, p99, tuple(inputs), tuple(outputs))


def _metrics(port: PortCount, before: PortCount | None, seconds: float) -> tuple[PortMetrics, Delays]:
    """Make the metrics of a port, and the delays that they are made of."""
    then = before or PortCount(port.is_input, port.port, 0, 0, 0, 0, 0, Delays())
    delays = port.delays.since(then.delays)
    if delays.total < FEW:
        delays = port.delays
    made = PortMetrics(
        port=port.port,
        messages=port.messages,
        bytes=port.bytes,
        rate=int(max(0, port.messages - then.messages) * 1000 / seconds) if seconds else 0,
        bandwidth=int(max(0, port.bytes - then.bytes) / seconds) if seconds else 0,
        dropped=port.dropped,
        queued=port.queued,
        errors=port.errors,
        p50_us=delays.percentile(50),
        p99_us=delays.percentile(99),
    )
    return made, delays
