"""Timers inside a node: when the next tick is due, without drift and without messages."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow_runtime.contract import InputWiring


@dataclass(slots=True, order=True)
class _Timer:
    due_ns: int
    input: str
    interval_ns: int
    queue_size: int


class Timers:
    """The timers of a node. Times are nanoseconds of the monotonic clock."""

    def __init__(self, inputs: Iterable[InputWiring]) -> None:
        self._inputs = tuple(port for port in inputs if port.interval_ns)
        self._timers: list[_Timer] = []

    def start(self, now_ns: int) -> None:
        """Begin: the first tick of each timer is due one interval from now."""
        self._timers = [
            _Timer(now_ns + port.interval_ns, port.id, port.interval_ns, port.queue_size) for port in self._inputs
        ]
        heapq.heapify(self._timers)

    def due(self, now_ns: int) -> list[str]:
        """List the inputs whose ticks are due by now, one entry a tick, at most a queue's worth for each timer.

        Ticks that were missed meanwhile are left out; the next one keeps to the rhythm of the start.
        """
        ticks: list[str] = []
        while self._timers and self._timers[0].due_ns <= now_ns:
            timer = self._timers[0]
            missed = (now_ns - timer.due_ns) // timer.interval_ns
            ticks += [timer.input] * min(missed + 1, timer.queue_size)
            timer.due_ns += (missed + 1) * timer.interval_ns
            heapq.heapreplace(self._timers, timer)
        return ticks

    @property
    def next_ns(self) -> int:
        """When the next tick is due; -1 without timers."""
        return self._timers[0].due_ns if self._timers else -1

    def wait_seconds(self, now_ns: int) -> float | None:
        """Tell how long until the next tick; None without timers."""
        return max(0.0, (self._timers[0].due_ns - now_ns) / 1e9) if self._timers else None
