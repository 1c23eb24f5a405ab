"""What follows from the end of a node's process: it is started again, or given up, and the others are told.

Whether an ending is well is a question of `endings`, whether another process follows one of `revival`; the words of the
report are those of `report`.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import report
from doraflow_runtime.launcher.endings import Ending, Verdict
from doraflow_runtime.launcher.groups import exists
from doraflow_runtime.launcher.restarts import Again
from doraflow_runtime.launcher.revival import why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.launcher.members import Member
    from doraflow_runtime.launcher.revival import Revival
    from doraflow_runtime.launcher.scene import Scene


class Judge:
    """Judges every ending; `stop` is told why the run is to stop, and for whose failure."""

    __slots__ = ("_awaited", "_revival", "_scene", "_stop")

    def __init__(
        self, scene: Scene, revival: Revival, awaited: frozenset[str], stop: Callable[[str, str], None]
    ) -> None:
        self._scene = scene
        self._revival = revival
        self._awaited = awaited
        self._stop = stop

    def on_end(self, member: Member, code: int, *, was_hurried: bool) -> None:
        """Take in that the process of a node has ended; `was_hurried` says that the user had asked twice to stop."""
        member.output.drain()
        member.ending, member.last_code = self._ending(member, code, was_hurried=was_hurried), code
        self._scene.health.forget(member.node)
        if exists(member.group):
            # What it leaves behind ends with it, in time to clean up.
            member.signal(signal.SIGTERM)
            member.kill_at = time.monotonic() + self._scene.run.grace
        decision = self._revival.decide(member, time.monotonic(), is_stopping=self._scene.is_stopping)
        if isinstance(decision, Again):
            self._tell_restart(member, decision)
            self._scene.joining.restarting(member)
        else:
            self._give_up(member, why_not(member, decision))

    def is_to_start(self, member: Member, now: float) -> bool:
        """Tell whether a node that waits for its restart is started now; it is given up if nothing is left to do."""
        has_failed = member.ending is not None and member.ending.verdict() is not Verdict.WELL
        is_stopping = member.is_leaving or self._scene.is_stopping
        if is_stopping or self._revival.is_finished(member, has_failed=has_failed):
            member.restart_at = None
            member.restarts.count -= 1
            self._give_up(member)
            return False
        if member.restart_at is None or now < member.restart_at:
            return False
        member.restart_at = None
        return True

    def report_abandoned(self) -> None:
        """Note the nodes that could not be ended."""
        for member in self._scene.members.all:
            if not member.is_gone and member.ending is None:
                self._scene.failures.add(member, Ending(0, is_abandoned=True))

    def _ending(self, member: Member, code: int, *, was_hurried: bool) -> Ending:
        return Ending(
            code,
            self._scene.ladder.step,
            member.was_signalled,
            was_hurried,
            member.has_arrived or member.node not in self._awaited,
            was_killed=member.was_killed,
            silence=member.silence,
            lateness=member.lateness,
            restarts=member.restarts.count,
        )

    def _tell_restart(self, member: Member, again: Again) -> None:
        how = report.how(member.ending, self._scene.run.grace) if member.ending is not None else ""
        when = f"in {again.delay:g} s" if again.delay else "now"
        message = f"`{member.node}` {how}; it is started again {when} (restart {again.attempt})"
        fields = {"node": member.node, "code": member.last_code, "delay": again.delay, "attempt": again.attempt}
        self._scene.console.progress("restarting", message, **fields)

    def _give_up(self, member: Member, reason: str = "") -> None:
        """Judge a node that has ended and is not started again."""
        ending, scene = member.ending, self._scene
        if ending is None:
            return
        failed = ending.verdict() is not Verdict.WELL
        if failed:
            scene.failures.add(member, ending, reason)
        if failed and not ending.has_arrived:
            self._stop(f"`{member.node}` failed before the start", member.node)
        goes_on = not scene.is_stopping and any(other.ending is None for other in scene.members.all)
        finding = scene.failures.findings[-1].message if failed else ""
        message = f"{finding}; the other nodes go on" if failed and goes_on else ""
        scene.console.progress("node_ended", message, node=member.node, code=ending.code, ended_well=not failed)
        scene.joining.ended(member, finding.removeprefix(f"`{member.node}` "))
        self.note_drained(member.node)

    def note_drained(self, ended: str) -> None:
        """Note when nothing more can come in at those who have read from a node that is gone for good."""
        for name in self._scene.joining.consumers_of(ended):
            reader = self._scene.members.by_node(name)
            if reader is not None and reader.drained_at is None and self._revival.is_drained(reader):
                reader.drained_at = time.monotonic()


def next_ended() -> tuple[int, int] | None:
    """Reap one process that has ended; its number and exit code, or minus the signal's number."""
    try:
        number, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (number, os.waitstatus_to_exitcode(status)) if number else None
