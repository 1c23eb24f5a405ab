"""How the process of a node ended, and whether that is well.

Reads nothing and says nothing; the words are those of `report`.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

from doraflow_runtime.launcher.stopping import Step

_ENDED_BY_REQUEST = frozenset({-signal.SIGTERM, 128 + signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGINT})


class Verdict(Enum):
    """What an ending means for the run."""

    WELL = "well"
    FAILED = "failed"
    IGNORED_STOP = "ignored stop"  # it had to be killed
    ABANDONED = "abandoned"  # it could not be killed


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a process. `code` is its exit code, or minus the number of the signal that killed it.

    `step` is how far the stop of the run had come, `was_signalled` whether the launcher had sent SIGTERM to this
    process, `was_killed` whether it had sent SIGKILL to it alone because SIGTERM did not end it, `was_hurried` whether
    the user had asked twice, `has_arrived` whether it had said hello, `is_abandoned` that it has not ended at all.
    `silence` is for how many seconds it had shown no sign of life, `lateness` after how many it had not joined, if it
    was killed for that. `restarts` counts the processes that the node had before.
    """

    code: int
    step: Step = Step.RUNNING
    was_signalled: bool = False
    was_hurried: bool = False
    has_arrived: bool = False
    is_abandoned: bool = False
    was_killed: bool = False
    silence: float = 0.0
    lateness: float = 0.0
    restarts: int = 0

    def verdict(self) -> Verdict:
        """Judge the ending as dora does: dying of the signal that was sent to end it is well."""
        if self.is_abandoned:
            return Verdict.ABANDONED
        if self.code == -signal.SIGKILL and self.was_killed:
            return Verdict.IGNORED_STOP
        if self.code == 0 or (self.was_signalled and self.code in _ENDED_BY_REQUEST):
            return Verdict.WELL
        if self.step >= Step.KILLED and self.code == -signal.SIGKILL:
            return Verdict.WELL if self.was_hurried else Verdict.IGNORED_STOP
        return Verdict.FAILED
