"""Whether a node whose process has ended is started again, and after how long: dora's rules, as a pure decision.

Nothing here reads a clock, starts a process or says anything; times are seconds of one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from doraflow_runtime.contract import Process, RestartPolicy

MOST_DOUBLINGS = 16
"""dora stops doubling the delay here, lest the number overflow."""

SHORT_LIFE = 1.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds. A process that lived less than SHORT_LIFE is followed by a pause, unless it is the first in a row: without
one, a node that fails at once would be started as fast as the machine can."""


@dataclass(frozen=True, slots=True)
class RestartRules:
    """A node's restart keys. A `limit` of 0 is none; `longest_delay` and `window` are None if not given."""

    policy: RestartPolicy = "never"
    limit: int = 0
    delay: float = 0.0
    longest_delay: float | None = None
    window: float | None = None

    @classmethod
    def of(cls, process: Process) -> RestartRules:
        """Take the rules from a row of the launch script."""
        return cls(
            process.restart_policy,
            process.max_restarts,
            process.restart_delay,
            process.max_restart_delay,
            process.restart_window,
        )


class Over(Enum):
    """Why a node is not started again."""

    POLICY = "its policy does not ask for it"
    FINISHED = "all its inputs are closed, or it is a source that has ended well"
    STOPPING = "it was told to stop"
    LIMIT = "it has been restarted as often as it may"


@dataclass(frozen=True, slots=True)
class Again:
    """The node is started again after `delay` seconds. `attempt` counts all of its restarts, this one included."""

    delay: float
    attempt: int


Decision: TypeAlias = Again | Over


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of a process as the rules see it; `lifetime` is in seconds.

    `is_stopping` says that the node, or the run, was told to stop for good; `is_finished` that all its inputs are
    closed or that it is a source that has ended well; `is_ordered` that someone asked for the restart.
    """

    has_failed: bool
    lifetime: float
    is_stopping: bool = False
    is_finished: bool = False
    is_ordered: bool = False


class Restarts:
    """The restarts of one node. `count` is how many there were.

    >>> restarts = Restarts(RestartRules("on-failure", limit=1, delay=2.0), now=0.0)
    >>> restarts.decide(Exit(has_failed=True, lifetime=9.0), now=9.0)
    Again(delay=2.0, attempt=1)
    >>> restarts.decide(Exit(has_failed=True, lifetime=9.0), now=20.0)
    <Over.LIMIT: 'it has been restarted as often as it may'>
    """

    __slots__ = ("_in_window", "_rules", "_short_lives", "_window_start", "count")

    def __init__(self, rules: RestartRules, now: float) -> None:
        """Begin to count at `now`, when the node's first process starts."""
        self.count = 0
        self._rules = rules
        self._window_start = now
        self._in_window = 0
        self._short_lives = 0

    def decide(self, end: Exit, now: float) -> Decision:
        """Judge the end of a process at `now`, and count the restart that follows from it."""
        if end.is_stopping:
            return Over.STOPPING
        if end.is_ordered:
            return self._again(0.0)
        rules = self._rules
        if rules.policy == "never" or (rules.policy == "on-failure" and not end.has_failed):
            return Over.POLICY
        if end.is_finished:
            return Over.FINISHED
        if rules.window is not None and now - self._window_start > rules.window:
            self._window_start = now
            self._in_window = 0
        self._in_window += 1
        if 0 < rules.limit < self._in_window:
            return Over.LIMIT
        return self._again(max(self._backoff(), self._pause(end.lifetime)))

    def _again(self, delay: float) -> Again:
        self.count += 1
        return Again(delay, self.count)

    def _backoff(self) -> float:
        delay = self._rules.delay * 2.0 ** min(self._in_window - 1, MOST_DOUBLINGS)
        return delay if self._rules.longest_delay is None else min(delay, self._rules.longest_delay)

    def _pause(self, lifetime: float) -> float:
        self._short_lives = self._short_lives + 1 if lifetime < SHORT_LIFE else 0
        if self._short_lives <= 1:
            return 0.0
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._short_lives - 2, MOST_DOUBLINGS))
