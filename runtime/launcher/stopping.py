"""The ladder that ends a run: ask, then SIGTERM, then SIGKILL, with a grace between the steps.

Nothing here sends anything or reads a clock: the supervisor asks which step is due and carries it out.
"""

from __future__ import annotations

from enum import IntEnum

LAST_PATIENCE = 5.0  # seconds that a killed process may take to vanish; one that hangs in the kernel takes for ever


class Step(IntEnum):
    """How far the end of the run has come."""

    RUNNING = 0
    ASKED = 1  # every node was told to stop
    TERMINATED = 2  # SIGTERM was sent to every group
    KILLED = 3  # SIGKILL was sent to every group
    ABANDONED = 4  # what is left cannot be killed


class StopLadder:
    """Where a run stands on the ladder; `grace` is in seconds.

    >>> ladder = StopLadder(grace=5.0)
    >>> ladder.begin(now=10.0), ladder.due(now=12.0), ladder.due(now=15.0)
    (True, None, <Step.TERMINATED: 2>)
    """

    __slots__ = ("_deadline", "_grace", "step")

    def __init__(self, grace: float) -> None:
        self.step = Step.RUNNING
        self._grace = grace
        self._deadline: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the next step is due; None while nothing was asked, or nothing is left to do."""
        return self._deadline

    def begin(self, now: float) -> bool:
        """Take the first step; False if that was done before."""
        if self.step is not Step.RUNNING:
            return False
        self.step = Step.ASKED
        self._deadline = now + self._grace
        return True

    def hurry(self, now: float) -> None:
        """Skip every grace: SIGKILL is due at once."""
        if self.step < Step.KILLED:
            self.step = Step.TERMINATED
            self._deadline = now

    def due(self, now: float) -> Step | None:
        """Take the next step if it is due, and name it."""
        if self._deadline is None or now < self._deadline:
            return None
        self.step = Step(self.step + 1)
        waits = {Step.TERMINATED: self._grace, Step.KILLED: LAST_PATIENCE}
        self._deadline = now + waits[self.step] if self.step in waits else None
        return self.step
