"""Nodes that take too long: to join, to show a sign of life, or to end once nothing more comes in.

Each wait is told, has a bound, and ends in something: a node killed and judged like any other, or the run stopped.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import listed
from doraflow_runtime.launcher.finishing import next_straggler, stragglers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow_runtime.launcher.members import Member
    from doraflow_runtime.launcher.orders import Orders
    from doraflow_runtime.launcher.scene import Scene


class Overdue:
    """Watches the clock for all nodes; `stop` is told why the run is to stop, and for whose failure."""

    __slots__ = ("_orders", "_scene", "_stop")

    def __init__(self, scene: Scene, orders: Orders, stop: Callable[[str, str], None]) -> None:
        self._scene = scene
        self._orders = orders
        self._stop = stop

    def times(self) -> Iterator[float]:
        """Give the times at which to look again."""
        scene = self._scene
        if scene.health.next_time is not None:
            yield scene.health.next_time
        if scene.is_stopping:
            return
        if self._awaits_nodes:
            yield scene.barrier.next_time()
        yield from (due for member in scene.members.all if (due := _join_by(member)) is not None)
        if scene.joining.is_started and (due := next_straggler(scene.members.all, scene.run.finish_grace)) is not None:
            yield due

    def act(self, now: float) -> None:
        """End what takes too long."""
        if not self._scene.is_stopping:
            self._end_late(now)
            if self._awaits_nodes:
                self._tend_barrier(now)
            elif self._scene.joining.is_started:
                self._end_stragglers(now)
        self._end_silent(now)

    @property
    def _awaits_nodes(self) -> bool:
        """Whether nodes of this host are awaited; for other hosts there is a barrier of its own."""
        return not self._scene.joining.is_started and not self._scene.barrier.is_open

    def _tend_barrier(self, now: float) -> None:
        barrier, scene = self._scene.barrier, self._scene
        awaited = barrier.awaited
        if barrier.is_over(now):
            for member in scene.members.all:
                if member.node in awaited:
                    scene.failures.add_late(member, barrier.timeout)
            self._stop(f"{listed(awaited)} did not become ready", awaited[0])
        elif (seconds := barrier.seconds_to_tell(now)) is not None:
            left = f"the run is stopped in {barrier.seconds_left(now):.0f} s"
            message = f"waiting for {listed(awaited)} to join the dataflow ({seconds:g} s without news; {left})"
            scene.console.progress("waiting", message, nodes=list(awaited))

    def _end_late(self, now: float) -> None:
        """Kill nodes that have not joined within their own time; what follows is judged like any other end."""
        for member in self._scene.members.all:
            due = _join_by(member)
            if due is not None and now >= due:
                member.lateness = member.process.startup_timeout
                message = f"`{member.node}` has not joined the dataflow within {member.lateness:g} s and is killed"
                self._scene.console.progress("late", message, node=member.node, seconds=member.lateness)
                member.signal(signal.SIGKILL)

    def _end_silent(self, now: float) -> None:
        """Kill nodes that have hung; what follows is judged like any other end."""
        for node, seconds in self._scene.health.silent(now):
            member = self._scene.members.by_node(node)
            if member is not None and member.ending is None:
                member.silence = seconds
                message = f"`{node}` has shown no sign of life for {seconds:.1f} s and is killed"
                self._scene.console.progress("unresponsive", message, node=node, seconds=round(seconds, 3))
                member.signal(signal.SIGKILL)

    def _end_stragglers(self, now: float) -> None:
        """Stop nodes that alone keep a dataflow going into which nothing more comes."""
        for member, seconds in stragglers(self._scene.members.all, self._scene.run.finish_grace, now):
            since = f"{seconds:g} s after its last input was closed"
            message = f"`{member.node}` alone goes on, {since}, and is stopped"
            self._scene.console.progress("straggler", message, node=member.node, seconds=round(seconds, 3))
            self._orders.end_for_good(member)


def _join_by(member: Member) -> float | None:
    """Say by when the process of a node is to have joined, if it has not and there is such a time."""
    timeout = member.process.startup_timeout
    if not timeout or member.has_arrived or member.ending is not None or member.lateness or member.is_paused:
        return None
    return None if member.ladder is not None else member.began + timeout
