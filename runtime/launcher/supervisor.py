"""The life of a run: processes started, endings judged, everything stopped.

The one place where the parts of the launcher meet; each rule stands in a module of its own. As in dora, a node that
fails before the start ends the run, and one that fails later does not: its readers see their inputs close, and the
others go on.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import wiring
from doraflow_runtime.launcher.barrier import Barrier
from doraflow_runtime.launcher.control import ControlSocket
from doraflow_runtime.launcher.failures import Failures
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.guest_logs import GuestLogs
from doraflow_runtime.launcher.health import Health
from doraflow_runtime.launcher.joining import Joining
from doraflow_runtime.launcher.judging import Judge, next_ended
from doraflow_runtime.launcher.lives import Lives
from doraflow_runtime.launcher.measuring import Measurements
from doraflow_runtime.launcher.members import Guest, Member, Members
from doraflow_runtime.launcher.orders import Orders
from doraflow_runtime.launcher.overdue import Overdue
from doraflow_runtime.launcher.revival import Revival
from doraflow_runtime.launcher.run_directory import unusable
from doraflow_runtime.launcher.scene import Scene
from doraflow_runtime.launcher.status import unknown
from doraflow_runtime.launcher.stopping import Step, StopLadder
from doraflow_runtime.launcher.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.control.messages import HostState, Reply, Request, RunState
    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.findings import Finding
    from doraflow_runtime.launcher.guardian import Guardian
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.node_logs import NodeLogs
    from doraflow_runtime.launcher.run import Run
    from doraflow_runtime.launcher.signals import SignalPipe
    from doraflow_runtime.launcher.status import NodeStatus

_SAME_REQUEST = 0.05
"""Seconds within which a second signal is the same request: a terminal and a parent may both deliver Ctrl-C."""

_LOOK_AGAIN = 0.2
"""Seconds between looks at what a node has left behind: if its parent lives elsewhere, no signal tells of its end."""


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
        awaited = [node.id for node in run.wiring.nodes if wiring.has_ports(node) and not node.dynamic]
        self._barrier = Barrier(awaited, time.monotonic(), _start_timeout(run, frozenset(awaited)))
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
        scene = Scene(
            run, self._members, self._barrier, self._ladder, self._health, self._joining, self._failures, console
        )
        self._judge = Judge(scene, Revival(run.wiring, self._joining), frozenset(awaited), self.stop)
        self.together = Together(scene, self._judge, loop, self.stop_here)
        self._overdue = Overdue(scene, self._orders, self.stop)
        self._lives = Lives(run, self._members, logs, loop, console, guardian)
        loop.on_readable(signals.descriptor, self._on_signals)

    def run(self) -> None:
        """Start every process and stay until nothing of any is left; `findings` then holds what failed.

        Raises LaunchError if the run directory cannot hold the launcher's socket.
        """
        control, guests = self._open_socket(), self._open_pipes()
        try:
            self._start_processes()
            self.together.open()
            self._joining.start_if_ready()
            while self._goes_on():
                self._loop.run_once(self._patience())
                self._act(time.monotonic())
            self.together.end(lambda: self.was_hurried)
        finally:
            self.together.close()
            for member in self._members.all:
                member.signal(signal.SIGKILL)  # an orderly end has left nothing to signal
            self._lives.close()
            guests.close()
            control.close()
        self._judge.report_abandoned()
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
        """Ask every node of the dataflow to stop, because `reason`; `failed` is the node whose failure that is, if any.

        That is on all hosts, unless this one is being stopped already.
        """
        if self._ladder.step is Step.RUNNING:
            self.together.stop_others(reason, failed)
        self.stop_here(reason, failed)

    def stop_here(self, reason: str, failed: str = "") -> None:
        """Ask every node of this host to stop; the other hosts go on."""
        if not self._ladder.begin(time.monotonic()):
            return
        self._failures.stopped_for = failed
        self._console.progress("stopping", f"stopping: {reason}", reason=reason)
        self._joining.stop()
        self._orders.wake_all()  # after that, so that what feeds a node does not end before it is told to stop
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

    def hosts(self) -> tuple[HostState, ...]:
        """Say where every other host of the dataflow stands."""
        return self.together.states(time.monotonic())

    def ask_others(
        self, request: Request, done: Callable[[dict[str, Reply]], None], hosts: Iterable[str], patience: float
    ) -> None:
        """Send a request to the launchers of other hosts, and give their answers by host."""
        self.together.ask_others(request, done, hosts, patience)

    def answer_others_with(self, answer: Callable[[Request, Callable[[Reply], None]], None]) -> None:
        """Let requests of other hosts be carried out by `answer`."""
        self.together.answer_with(answer)

    def stop_at_once(self, reason: str) -> None:
        """Kill whatever is left of the run, because `reason`."""
        self.stop_here(reason)
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

    def _open_pipes(self) -> GuestLogs:
        try:
            return GuestLogs(self._run, self._logs, self._loop)
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
        times += self._overdue.times()
        times += self.together.times()
        if self._ladder.deadline is not None:
            times.append(self._ladder.deadline)
        if any(member.ending and not member.is_gone for member in self._members.all):
            times.append(time.monotonic() + _LOOK_AGAIN)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _act(self, now: float) -> None:
        """Do what has become due."""
        self._let_go()
        if self._console.is_closed:
            self.stop("nobody reads the output any more")
        step = self._ladder.due(now)
        if step in (Step.TERMINATED, Step.KILLED):
            for member in self._members.all:
                member.signal(signal.SIGTERM if step is Step.TERMINATED else signal.SIGKILL)
        for member in self._members.all:
            if member.kill_at is not None and now >= member.kill_at:
                member.kill_at = None
                member.signal(signal.SIGKILL)
            if member.restart_at is not None and member.is_gone and self._judge.is_to_start(member, now):
                self._judge_start(*self._lives.start_again(member))
        self._orders.due(now)
        self._overdue.act(now)
        self.together.act(now)

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
            # Ctrl-C is meant for the dataflow; a service manager that ends this process means its own host.
            stop = self.stop_here if number is signal.SIGTERM else self.stop
            stop(f"{number.name} was received")
        elif now > self._stop_time + _SAME_REQUEST and not self.was_hurried:
            self.was_hurried = True
            self._console.progress("killing", f"{number.name} again: killing what is left")
            self._ladder.hurry(now)

    # ---- the end of processes

    def _reap(self) -> None:
        """Take note of every process that has ended: nodes, and orphans that nodes have left to us."""
        while (ended := next_ended()) is not None:
            number, code = ended
            member = self._members.by_process(number)
            if member is not None:
                self._judge.on_end(member, code, was_hurried=self.was_hurried)
            elif number == self._guardian.process:
                self._console.progress("unguarded", "the guardian of this run was killed; the run goes on without it")

    def _let_go(self) -> None:
        for member in self._members.newly_gone():
            member.output.close()
            self._guardian.forget(member.group)
            if member.restart_at is None:
                self._logs.ended(member.node)


def _start_timeout(run: Run, awaited: frozenset[str]) -> float:
    """Say how long the start may take: a node that may take longer than the others gives all of them its time."""
    own = (command.process.startup_timeout for command in run.commands if command.process.node in awaited)
    return max(run.start_timeout, *own, 0.0)
