"""What becomes of a node whose process has ended: whether it is started again, when, and how.

The rules are those of `restarts`; here they meet what is known of the run. Judging endings and telling what is over
are the supervisor's affair.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import wiring
from doraflow_runtime.launcher.endings import Verdict
from doraflow_runtime.launcher.restarts import Again, Exit, Over

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring, NodeWiring
    from doraflow_runtime.launcher.joining import Joining
    from doraflow_runtime.launcher.members import Member
    from doraflow_runtime.launcher.restarts import Decision


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node lies in the run directory: its configuration, and the socket on which it listens."""

    configuration: Path
    socket: Path

    def clear(self, restarts: int) -> None:
        """Make the place ready for the next process, which had `restarts` before it. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()
        wiring.note_restart(self.configuration, restarts)


class Revival:
    """Decides about the nodes of a run."""

    __slots__ = ("_joining", "_nodes", "_timers_are_clocks")

    def __init__(self, table: HostWiring, joining: Joining) -> None:
        self._nodes = {node.id: node for node in table.nodes}
        self._joining = joining
        self._timers_are_clocks = table.exit_when_nodes_finish

    def decide(self, member: Member, now: float, *, is_stopping: bool) -> Decision:
        """Judge a member whose process has ended, and note in it when it is started again."""
        ending = member.ending
        if ending is None:
            raise ValueError(f"`{member.node}` has not ended")
        has_failed = ending.verdict() is not Verdict.WELL
        decision = member.restarts.decide(
            Exit(
                has_failed=has_failed,
                lifetime=now - member.began,
                is_stopping=is_stopping or member.is_leaving,
                is_finished=self.is_finished(member, has_failed=has_failed),
                is_ordered=member.is_ordered,
            ),
            now,
        )
        if isinstance(decision, Again):
            member.restart_at = now + decision.delay
        return decision

    def is_finished(self, member: Member, *, has_failed: bool) -> bool:
        """Tell whether nothing more can come in at a node, so that another process of it would have nothing to do.

        A node without inputs is a source: it has finished when it has ended well. One that has never joined is no
        part of the dataflow, and its inputs are not looked at.
        """
        if member.is_finished:
            return True
        node = self._nodes[member.node]
        if not member.has_arrived:
            return False
        if not node.inputs:
            return not has_failed
        return self._are_dry(node)

    def is_drained(self, member: Member) -> bool:
        """Tell whether nothing more can come in at a node that has joined and reads from others."""
        return member.is_finished or (member.has_arrived and self._are_dry(self._nodes[member.node]))

    def _are_dry(self, node: NodeWiring) -> bool:
        producers = self._joining.producers_of(node.id)
        has_timer = any(port.interval_ns for port in node.inputs)
        if not producers or (has_timer and not self._timers_are_clocks):
            return False
        return self._joining.have_ended(producers)


def why_not(member: Member, decision: Decision) -> str:
    """Say why a node that asks to be started again is not, if that is worth saying."""
    if decision is Over.LIMIT:
        times = "once" if member.restarts.count == 1 else f"{member.restarts.count} times"
        return f"restarted {times}, which is its limit"
    return ""
