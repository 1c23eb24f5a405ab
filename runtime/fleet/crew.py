"""What the company of launchers asks of its own host, and tells it: the run there, as the others see it.

An interface and the plain data that pass it; the launcher carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.far_nodes import FarChange
    from doraflow_runtime.fleet.messages import NodeRow, Phase, StopNotice


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a host stands; `stop` is there while it ends together with all others."""

    phase: Phase
    has_started: bool = False
    awaited: tuple[str, ...] = ()
    stop: StopNotice | None = None


class Crew(Protocol):
    """The run of one host. Everything is called between two rounds of the launcher's loop."""

    def standing(self) -> Standing:
        """Say where the host stands."""

    def rows(self, host: str) -> tuple[NodeRow, ...]:
        """Say where the nodes stand that a host has to know of."""

    def on_gathered(self) -> None:
        """Learn that some host stands differently now: the start may be possible."""

    def on_stop(self, notice: StopNotice) -> None:
        """Stop, since the dataflow is stopped."""

    def on_far_change(self, change: FarChange) -> None:
        """Learn what has become of a node on another host."""

    def on_life(self, host: str, life: str) -> None:
        """Learn that a host is there, and of which life its launcher is."""

    def on_clock(self, host: str, estimate: Estimate) -> None:
        """Learn how far the clock of a host is off."""

    def on_silence(self, host: str, seconds: float) -> None:
        """Learn, again and again, that a host has not been there for so long."""

    def on_request(self, request: str, answer: Callable[[str], None]) -> None:
        """Carry out what another host asks; `answer` is to be called once."""

    def tell(self, event: str, message: str, **fields: object) -> None:
        """Tell whoever looks on."""
