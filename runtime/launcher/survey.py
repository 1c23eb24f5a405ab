"""Asking the nodes what they measure: once a second while somebody watches, and twice for whoever asks once.

Nodes that are busy answer late, and those that have no process not at all, so nobody is waited for longer than a
moment.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from doraflow_runtime.control.messages import Metrics, NodeMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.control.messages import Reply
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.measuring import Measurements
    from doraflow_runtime.launcher.status import NodeStatus

PERIOD_SECONDS = 1.0
GAP_SECONDS = 0.4
"""Between the two questions of a survey: rates need a stretch of time."""
PATIENCE_SECONDS = 0.1
"""For the answers to the second question."""


class Measured(Protocol):
    """What a survey needs of a supervisor."""

    @property
    def measurements(self) -> Measurements:
        """What the nodes have counted."""

    def measure(self) -> None:
        """Ask the nodes what they have counted."""

    def states(self) -> tuple[NodeStatus, ...]:
        """Say where every node stands."""


class Survey:
    """What the nodes of one run measure."""

    def __init__(self, supervisor: Measured, loop: Loop) -> None:
        self._supervisor = supervisor
        self._loop = loop
        self._asked: list[Callable[[Reply], None]] = []
        self._watcher: Callable[[Metrics], bool] | None = None

    def ask(self, answer: Callable[[Reply], None]) -> None:
        """Answer with metrics, at once if they are watched anyway, else after a moment."""
        if self._watcher is not None and self._is_known():
            answer(self.metrics())
            return
        self._asked.append(answer)
        if len(self._asked) == 1:
            self._supervisor.measure()
            self._loop.call_later(GAP_SECONDS, self._ask_again)

    def watch(self, watcher: Callable[[Metrics], bool]) -> None:
        """Ask the nodes once a second and tell `watcher`, until it returns False."""
        if self._watcher is None:
            self._watcher = watcher
            self._supervisor.measure()
            self._loop.call_later(PERIOD_SECONDS, self._turn)

    def metrics(self) -> Metrics:
        """Make the metrics of all nodes."""
        known = self._supervisor.measurements
        nodes = tuple(
            NodeMetrics(status.node) if status.pid is None else known.of(status.node, status.pid)
            for status in self._supervisor.states()
        )
        return Metrics(int(time.monotonic() * 1000), nodes)

    def _is_known(self) -> bool:
        known = self._supervisor.measurements
        return all(known.count(status.node, status.pid) > 1 for status in self._supervisor.states() if status.pid)

    def _ask_again(self) -> None:
        self._supervisor.measure()
        self._loop.call_later(PATIENCE_SECONDS, self._answer)

    def _answer(self) -> None:
        asked, self._asked = self._asked, []
        metrics = self.metrics()
        for answer in asked:
            answer(metrics)

    def _turn(self) -> None:
        watcher = self._watcher
        if watcher is None or not watcher(self.metrics()):
            self._watcher = None
            return
        self._supervisor.measure()
        self._loop.call_later(PERIOD_SECONDS, self._turn)
