"""The life of a run: processes started, endings judged, everything stopped.

The one place where the parts of the launcher meet; each rule stands in a module of its own. As in dora, a node that
fails before the start ends the run, and one that fails later does not: its readers see their inputs close, and the
others go on.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import report, wiring
from doraflow_runtime.launcher.barrier import Barrier
from doraflow_runtime.launcher.control import ControlSocket
from doraflow_runtime.launcher.endings import Ending, Verdict
from doraflow_runtime.launcher.failures import Failures
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.groups import exists
from doraflow_runtime.launcher.health import Health
from doraflow_runtime.launcher.joining import Joining
from doraflow_runtime.launcher.lives import Lives
from doraflow_runtime.launcher.measuring import Measurements
from doraflow_runtime.launcher.members import Guest, Member, Members
from doraflow_runtime.launcher.orders import Orders
from doraflow_runtime.launcher.restarts import Again
from doraflow_runtime.launcher.revival import Revival, why_not
from doraflow_runtime.launcher.run_directory import unusable
from doraflow_runtime.launcher.status import unknown
from doraflow_runtime.launcher.stopping import Step, StopLadder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.control.messages import RunState
    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.findings import Finding
    from doraflow_runtime.launcher.guardian import Guardian
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.node_logs import NodeLogs
    from doraflow_runtime.launcher.signals import SignalPipe
    from doraflow_runtime.launcher.spawn import FileLimit
    from doraflow_runtime.launcher.status import NodeStatus

_SAME_REQUEST = 0.05
"""Seconds within which a second signal is the same request: a terminal and a parent may both deliver Ctrl-C."""

_LOOK_AGAIN = 0.2
"""Seconds between looks at what a node has left behind: if its parent lives elsewhere, no signal tells of its end."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run; `directory` is laid out already, times are in seconds.

    `environment` is what all nodes share, and `root` the folder of their sources.
    """

    wiring: HostWiring
    commands: tuple[Command, ...]
    directory: Path
    start_timeout: float
    grace: float
    open_files: FileLimit
    environment: Mapping[str, str]
    root: Path


class Supervisor:
    """Runs a dataflow from start to end. Single-threaded; nothing it does waits but its loop."""

    def __init__(
        self, run: Run, loop: Loop, console: Console, logs: NodeLogs, guardian: Guardian, signals: SignalPipe
    ) -> None:
        self._failures = Failures(logs, run.grace)
        self.was_hurried = False
        self._run = run
        self._loop = loop
        self._console = console
        self._logs = logs
        self._guardian = guardian
        self._signals = signals
        self._members = Members()
        self._ladder = StopLadder(run.grace)
        self._stop_time = 0.0
        self._members.guests = {node.id: Guest(node.id) for node in run.wiring.nodes if node.dynamic}
        self._awaited = frozenset(node.id for node in run.wiring.nodes if wiring.has_ports(node) and not node.dynamic)
        in_order = [node.id for node in run.wiring.nodes if node.id in self._awaited]
        self._barrier = Barrier(in_order, time.monotonic(), run.start_timeout)
        self.measurements = Measurements()
        self._health = Health(run.wiring.health_check_interval)
        self._joining = Joining(
            run.wiring,
            self._members,
            self.measurements,
            self._barrier,
            self._health,
            console,
            self.stop,
            logs.arrived,
            self._on_left,
        )
        self._orders = Orders(self._members, self._joining, self._health, run.grace)
        self._revival = Revival(run.wiring, self._joining)
        self._lives = Lives(run, self._members, logs, loop, console, guardian)
        loop.on_readable(signals.descriptor, self._on_signals)

    def run(self) -> None:
        """Start every process and stay until nothing of any is left; `findings` then holds what failed.

        Raises LaunchError if the run directory cannot hold the launcher's socket.
        """
        control = self._open_socket()
        try:
            self._start_processes()
            self._joining.start_if_ready()
            while self._goes_on():
                self._loop.run_once(self._patience())
                self._act(time.monotonic())
        finally:
            for member in self._members.all:
                member.signal(signal.SIGKILL)  # an orderly end has left nothing to signal
            self._lives.close()
            control.close()
        self._report_abandoned()
        self._failures.explain(self._joining.producers_of)

    @property
    def findings(self) -> list[Finding]:
        """What failed so far."""
        return self._failures.findings

    def _goes_on(self) -> bool:
        """Tell whether there is something to wait for: a process, or guests where there are no processes at all."""
        if not self._run.commands:
            return self._ladder.step is Step.RUNNING
        return not self._members.are_gone and self._ladder.step is not Step.ABANDONED

    def _on_left(self, guest: Guest) -> None:
        self._lives.make_room(guest)

    def stop(self, reason: str, failed: str = "") -> None:
        """Ask every node to stop, because `reason`; `failed` is the node whose failure that is, if any."""
        if not self._ladder.begin(time.monotonic()):
            return
        self._failures.stopped_for = failed
        self._console.progress("stopping", f"stopping: {reason}", reason=reason)
        self._orders.wake_all()
        self._joining.stop()
        for member in self._members.all:
            self._health.forget(member.node)
            if member.connection is None:
                member.signal(signal.SIGTERM)  # it cannot hear the request

    # ---- what may be asked from outside, between two rounds of the loop

    @property
    def phase(self) -> RunState:
        """Say how far the run as a whole is."""
        if self._ladder.step is not Step.RUNNING:
            return "stopping"
        return "running" if self._joining.is_started else "starting"

    def tap(self, node: str, output: str, address: str) -> None:
        """Let a node send copies of an output to a socket in the run's directory as well. Raises Refused."""
        outputs = {each.id: [port.id for port in each.outputs] for each in self._run.wiring.nodes}.get(node)
        if outputs is not None and output not in outputs:
            raise unknown(f"`{node}` has no output `{output}`; its outputs are", output, outputs)
        self._orders.tap(node, output, address)

    def measure(self) -> None:
        """Ask every node that has started what it has counted; `measurements` takes the answers."""
        if self._joining.is_started:
            for member in self._members.all:
                member.tell("measure")

    def stop_at_once(self, reason: str) -> None:
        """Kill whatever is left of the run, because `reason`."""
        self.stop(reason)
        self.was_hurried = True
        self._ladder.hurry(time.monotonic())

    def restart(self, node: str) -> None:
        """End the process of a node and start it again, whatever its policy. Raises Refused."""
        self._orders.restart(node)

    def stop_node(self, node: str) -> None:
        """Ask one node to stop, for good; after the grace its process group is ended. Raises Refused."""
        self._orders.stop_node(node)

    def pause(self, node: str) -> None:
        """Stop the processes of a node from running on; its readers are told nothing. Raises Refused."""
        self._orders.pause(node)

    def resume(self, node: str) -> None:
        """Let a node that was paused run on. Raises Refused."""
        self._orders.resume(node)

    def states(self) -> tuple[NodeStatus, ...]:
        """Say where every node stands, in the order of the launch script."""
        return self._orders.states()

    # ---- the beginning

    def _open_socket(self) -> ControlSocket:
        path = self._run.directory / wiring.LAUNCHER_SOCKET
        try:
            return ControlSocket(path, self._loop, self._joining, os.getuid())
        except OSError as error:
            raise LaunchError(unusable(self._run.directory, error)) from error

    def _start_processes(self) -> None:
        for command, outcome in self._lives.start_all(lambda: self._ladder.step is not Step.RUNNING):
            self._judge_start(command, outcome)

    def _judge_start(self, command: Command, outcome: Member | OSError) -> None:
        if isinstance(outcome, OSError):
            self._failures.add_refused(command, outcome)
            self.stop(f"`{command.process.node}` cannot be executed", command.process.node)
        elif self._ladder.step is not Step.RUNNING:
            outcome.signal(signal.SIGTERM)  # it was on its way when the run was stopped

    # ---- what time and signals bring

    def _patience(self) -> float | None:
        """Say how long the loop may wait."""
        times = [due for member in self._members.all if (due := member.next_time()) is not None]
        if self._health.next_time is not None:
            times.append(self._health.next_time)
        if self._ladder.deadline is not None:
            times.append(self._ladder.deadline)
        elif not self._joining.is_started:
            times.append(self._barrier.next_time())
        if any(member.ending and not member.is_gone for member in self._members.all):
            times.append(time.monotonic() + _LOOK_AGAIN)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _act(self, now: float) -> None:
        """Do what has become due."""
        self._let_go()
        if self._console.is_closed:
            self.stop("nobody reads the output any more")
        if not self._joining.is_started and self._ladder.step is Step.RUNNING:
            self._tend_barrier(now)
        step = self._ladder.due(now)
        if step in (Step.TERMINATED, Step.KILLED):
            for member in self._members.all:
                member.signal(signal.SIGTERM if step is Step.TERMINATED else signal.SIGKILL)
        for member in self._members.all:
            if member.kill_at is not None and now >= member.kill_at:
                member.kill_at = None
                member.signal(signal.SIGKILL)
            if member.restart_at is not None and member.is_gone:
                self._revive(member, now)
        self._orders.due(now)
        self._end_silent(now)

    def _end_silent(self, now: float) -> None:
        """Kill nodes that have hung; what follows is judged like any other end."""
        for node, seconds in self._health.silent(now):
            member = self._members.by_node(node)
            if member is not None and member.ending is None:
                member.silence = seconds
                message = f"`{node}` has shown no sign of life for {seconds:.1f} s and is killed"
                self._console.progress("unresponsive", message, node=node, seconds=round(seconds, 3))
                member.signal(signal.SIGKILL)

    def _revive(self, member: Member, now: float) -> None:
        """Start a node again if its time has come, or give it up if it has nothing left to do."""
        has_failed = member.ending is not None and member.ending.verdict() is not Verdict.WELL
        is_stopping = member.is_leaving or self._ladder.step is not Step.RUNNING
        if is_stopping or self._revival.is_finished(member, has_failed=has_failed):
            member.restart_at = None
            member.restarts.count -= 1
            self._give_up(member)
        elif member.restart_at is not None and now >= member.restart_at:
            member.restart_at = None
            self._judge_start(*self._lives.start_again(member))

    def _tend_barrier(self, now: float) -> None:
        awaited = self._barrier.awaited
        if self._barrier.is_over(now):
            for member in self._members.all:
                if member.node in awaited:
                    self._failures.add_late(member, self._run.start_timeout)
            self.stop(f"{_listed(awaited)} did not become ready", awaited[0])
        elif (seconds := self._barrier.seconds_to_tell(now)) is not None:
            message = f"waiting for {_listed(awaited)} to join the dataflow ({seconds:g} s without news)"
            self._console.progress("waiting", message, nodes=list(awaited))

    def _on_signals(self) -> None:
        for number in self._signals.read():
            if number is signal.SIGCHLD:
                self._reap()
            else:
                self._on_request(number)

    def _on_request(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if self._ladder.step is Step.RUNNING:
            self._stop_time = now
            self.stop(f"{number.name} was received")
        elif now > self._stop_time + _SAME_REQUEST and not self.was_hurried:
            self.was_hurried = True
            self._console.progress("killing", f"{number.name} again: killing what is left")
            self._ladder.hurry(now)

    # ---- the end of processes

    def _reap(self) -> None:
        """Take note of every process that has ended: nodes, and orphans that nodes have left to us."""
        while (ended := _next_ended()) is not None:
            number, code = ended
            member = self._members.by_process(number)
            if member is not None:
                self._on_end(member, code)
            elif number == self._guardian.process:
                self._console.progress("unguarded", "the guardian of this run was killed; the run goes on without it")

    def _let_go(self) -> None:
        for member in self._members.newly_gone():
            member.output.close()
            self._guardian.forget(member.group)
            if member.restart_at is None:
                self._logs.ended(member.node)

    def _on_end(self, member: Member, code: int) -> None:
        member.output.drain()
        has_arrived = member.has_arrived or member.node not in self._awaited
        ending = Ending(
            code,
            self._ladder.step,
            member.was_signalled,
            self.was_hurried,
            has_arrived,
            was_killed=member.was_killed,
            silence=member.silence,
            restarts=member.restarts.count,
        )
        member.ending, member.last_code = ending, code
        self._health.forget(member.node)
        if exists(member.group):
            # What it leaves behind ends with it, in time to clean up.
            member.signal(signal.SIGTERM)
            member.kill_at = time.monotonic() + self._run.grace
        decision = self._revival.decide(member, time.monotonic(), is_stopping=self._ladder.step is not Step.RUNNING)
        if isinstance(decision, Again):
            self._tell_restart(member, decision)
            self._joining.restarting(member)
        else:
            self._give_up(member, why_not(member, decision))

    def _tell_restart(self, member: Member, again: Again) -> None:
        code = member.last_code
        how = report.how(member.ending, self._run.grace) if member.ending is not None else ""
        when = f"in {again.delay:g} s" if again.delay else "now"
        message = f"`{member.node}` {how}; it is started again {when} (restart {again.attempt})"
        fields = {"node": member.node, "code": code, "delay": again.delay, "attempt": again.attempt}
        self._console.progress("restarting", message, **fields)

    def _give_up(self, member: Member, reason: str = "") -> None:
        """Judge a node that has ended and is not started again."""
        ending = member.ending
        if ending is None:
            return
        failed = ending.verdict() is not Verdict.WELL
        if failed:
            self._failures.add(member, ending, reason)
        if failed and not ending.has_arrived:
            self.stop(f"`{member.node}` failed before the start", member.node)
        goes_on = self._ladder.step is Step.RUNNING and any(other.ending is None for other in self._members.all)
        message = f"{self.findings[-1].message}; the other nodes go on" if failed and goes_on else ""
        self._console.progress("node_ended", message, node=member.node, code=ending.code, ended_well=not failed)
        self._joining.ended(member)

    def _report_abandoned(self) -> None:
        for member in self._members.all:
            if not member.is_gone and member.ending is None:
                self._failures.add(member, Ending(0, is_abandoned=True))


def _next_ended() -> tuple[int, int] | None:
    """Reap one process that has ended; its number and exit code, or minus the signal's number."""
    try:
        number, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (number, os.waitstatus_to_exitcode(status)) if number else None


def _listed(nodes: tuple[str, ...]) -> str:
    return ", ".join(f"`{node}`" for node in nodes)
