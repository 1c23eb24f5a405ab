"""What may be asked of a run from outside: one node restarted, stopped, paused or resumed, and where each stands.

Carried out between two rounds of the launcher's loop. Who asks, and how, is the control socket's affair.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.endings import Verdict
from doraflow_runtime.launcher.status import NodeStatus, Refused, unknown
from doraflow_runtime.launcher.stopping import Step, StopLadder

if TYPE_CHECKING:
    from doraflow_runtime.launcher.health import Health
    from doraflow_runtime.launcher.joining import Joining
    from doraflow_runtime.launcher.members import Guest, Member, Members
    from doraflow_runtime.launcher.status import State


class Orders:
    """Carries out requests for single nodes; `grace` is in seconds."""

    __slots__ = ("_grace", "_health", "_joining", "_members")

    def __init__(self, members: Members, joining: Joining, health: Health, grace: float) -> None:
        self._members = members
        self._joining = joining
        self._health = health
        self._grace = grace

    def restart(self, node: str) -> None:
        """End the process of a node and start it again, whatever its policy. Raises Refused."""
        member = self._living(node)
        if member.is_leaving:
            raise Refused(f"`{node}` is being stopped")
        if member.is_ordered:
            raise Refused(f"`{node}` is being restarted already")
        member.is_ordered = True
        self._joining.tell_readers(member.node, "will_return")
        self._end(member)

    def stop_node(self, node: str) -> None:
        """Ask one node to stop, for good; after the grace its process group is ended. Raises Refused."""
        member = self._members.by_node(node)
        if member is not None and member.restart_at is not None and not self._joining.is_stopping:
            member.is_leaving = True
            member.restart_at = 0.0  # the supervisor finds that it is not to be started
            return
        member = self._living(node)
        if member.is_leaving:
            raise Refused(f"`{node}` is being stopped already")
        self.end_for_good(member)

    def end_for_good(self, member: Member) -> None:
        """Ask a node to stop, and end it after the grace; it is not started again."""
        member.is_leaving, member.is_ordered = True, False
        self._end(member)

    def pause(self, node: str) -> None:
        """Stop the processes of a node from running on; its readers are told nothing. Raises Refused."""
        member = self._living(node)
        if member.is_paused:
            raise Refused(f"`{node}` is paused already")
        member.is_paused = True
        self._health.forget(node)
        member.signal_quietly(signal.SIGSTOP)

    def resume(self, node: str) -> None:
        """Let a node that was paused run on. Raises Refused."""
        member = self._living(node)
        if not member.is_paused:
            raise Refused(f"`{node}` is not paused")
        self._wake(member)
        if self._joining.is_started and member.has_arrived:
            self._health.watch(node, member.process.health_check_timeout, time.monotonic())

    def tap(self, node: str, output: str, address: str) -> None:
        """Let a node send copies of an output to one more socket, which loses what it does not read. Raises Refused."""
        member = self._living(node)
        if member.connection is None or not self._joining.is_started:
            raise Refused(f"`{node}` has not joined the dataflow yet")
        member.tell("tap", output=output, address=address)

    def wake_all(self) -> None:
        """Let every node that is paused run on, to hear that it is to stop."""
        for member in self._members.all:
            self._wake(member)

    def due(self, now: float) -> None:
        """Take the next step with nodes that are being ended alone."""
        for member in self._members.all:
            if member.ladder is None or member.ending is not None:
                continue
            step = member.ladder.due(now)
            if step is Step.TERMINATED:
                member.signal(signal.SIGTERM)
            elif step is Step.KILLED:
                member.was_killed = True
                member.signal(signal.SIGKILL)

    def states(self) -> tuple[NodeStatus, ...]:
        """Say where every node stands, in the order of the launch script; dynamic ones come last."""
        guests = tuple(
            NodeStatus(guest.node, self._state_of_guest(guest), restarts=max(0, guest.visits - 1))
            for guest in self._members.guests.values()
        )
        members = tuple(
            NodeStatus(
                member.node,
                self._state(member),
                pid=member.group if member.ending is None else None,
                started=member.started,
                restarts=member.restarts.count - (member.restart_at is not None),
                last_exit=member.last_code,
                paused=member.is_paused,
            )
            for member in self._members.all
        )
        return members + guests

    def _state_of_guest(self, guest: Guest) -> State:
        if guest.connection is None:
            return "absent"
        if self._joining.is_stopping:
            return "stopping"
        return "running" if self._joining.is_started else "ready"

    def _state(self, member: Member) -> State:
        if member.restart_at is not None:
            return "restarting"
        if member.ending is not None:
            return "ended" if member.ending.verdict() is Verdict.WELL else "failed"
        if self._joining.is_stopping or member.ladder is not None:
            return "stopping"
        if not member.has_arrived:
            return "starting"
        return "running" if self._joining.is_started else "ready"

    def _end(self, member: Member) -> None:
        self._wake(member)
        self._health.forget(member.node)
        member.ladder = StopLadder(self._grace)
        member.ladder.begin(time.monotonic())
        member.tell("stop")
        if member.connection is None:
            member.signal(signal.SIGTERM)  # it cannot hear the request

    def _wake(self, member: Member) -> None:
        if member.is_paused:
            member.is_paused = False
            member.signal_quietly(signal.SIGCONT)

    def _living(self, node: str) -> Member:
        member = self._members.by_node(node)
        if node in self._members.guests:
            raise Refused(f"`{node}` is a dynamic node: whoever has started its process ends it")
        if member is None:
            known = [other.node for other in self._members.all]
            raise unknown(f"there is no node `{node}` in this run; its nodes are", node, known)
        if self._joining.is_stopping:
            raise Refused(f"the run is being stopped, and `{node}` with it")
        if member.restart_at is not None:
            raise Refused(f"`{node}` has ended and is about to be started again")
        if member.ending is not None:
            raise Refused(f"`{node}` has ended")
        return member
