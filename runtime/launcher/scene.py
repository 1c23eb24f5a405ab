"""What the parts of the supervisor share: the run, its nodes, how far its start and its end have come, and the voice.

Only references: each part has its own module, and no rule stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.stopping import Step

if TYPE_CHECKING:
    from doraflow_runtime.launcher.barrier import Barrier
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.failures import Failures
    from doraflow_runtime.launcher.health import Health
    from doraflow_runtime.launcher.joining import Joining
    from doraflow_runtime.launcher.members import Members
    from doraflow_runtime.launcher.run import Run
    from doraflow_runtime.launcher.stopping import StopLadder


@dataclass(frozen=True, slots=True)
class Scene:
    """One run as it goes on."""

    run: Run
    members: Members
    barrier: Barrier
    ladder: StopLadder
    health: Health
    joining: Joining
    failures: Failures
    console: Console

    @property
    def is_stopping(self) -> bool:
        """Whether the run is being stopped."""
        return self.ladder.step is not Step.RUNNING
