"""What operators ask of a run, carried out: requests of the control socket become calls of the supervisor.

The socket itself is `doraflow_runtime.control.server`; a host without pyzmq runs without it. Nothing here waits.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from doraflow_runtime.control.far_messages import Answers, AskLogs, AskOthers, HostAnswer, ReadLog
from doraflow_runtime.control.messages import (
    AskMetrics,
    AskStatus,
    Change,
    Done,
    MessageError,
    NodeState,
    Pause,
    Refusal,
    Restart,
    Resume,
    Status,
    Stop,
    StopNode,
    Subscribe,
    Tap,
    decode_request,
    encode_reply,
)
from doraflow_runtime.control.places import is_tap_name
from doraflow_runtime.launcher import log_copies
from doraflow_runtime.launcher.findings import cause
from doraflow_runtime.launcher.status import Refused
from doraflow_runtime.launcher.survey import Survey
from doraflow_runtime.launcher.usage import Usage, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doraflow_runtime.control.messages import HostState, Metrics, Reply, Request, RunState
    from doraflow_runtime.control.places import RunFacts
    from doraflow_runtime.control.server import ControlServer
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.measuring import Measurements
    from doraflow_runtime.launcher.status import NodeStatus

LONGEST_PATIENCE = 60.0
"""Seconds for which other hosts are waited for at most."""
_SHOWN = 5
ROUND_SECONDS = 0.1
"""How often it is looked what has changed, while somebody wants to know."""


class Operated(Protocol):
    """What can be asked of a supervisor. Each may raise Refused."""

    @property
    def phase(self) -> RunState:
        """Say how far the run as a whole is."""

    @property
    def measurements(self) -> Measurements:
        """What the nodes have counted."""

    def measure(self) -> None:
        """Ask the nodes what they have counted."""

    def states(self) -> tuple[NodeStatus, ...]:
        """Say where every node stands."""

    def stop(self, reason: str) -> None:
        """Begin to end the run."""

    def stop_here(self, reason: str) -> None:
        """Begin to end the run of this host; the other hosts go on."""

    def stop_at_once(self, reason: str) -> None:
        """Kill whatever is left of the run."""

    def hosts(self) -> tuple[HostState, ...]:
        """Say where every other host stands."""

    def answer_others_with(self, answer: Callable[[Request, Callable[[Reply], None]], None]) -> None:
        """Let requests of other hosts be carried out by `answer`."""

    def ask_others(
        self, request: Request, done: Callable[[dict[str, Reply]], None], hosts: Iterable[str], patience: float
    ) -> None:
        """Send a request to the launchers of other hosts, and give their answers by host."""

    def restart(self, node: str) -> None:
        """Start a node anew."""

    def stop_node(self, node: str) -> None:
        """End a node for good."""

    def pause(self, node: str) -> None:
        """Hold a node."""

    def resume(self, node: str) -> None:
        """Let a node go on."""

    def tap(self, node: str, output: str, address: str) -> None:
        """Let a node send copies of an output to a socket in the run's directory as well."""


@contextlib.contextmanager
def operated(
    supervisor: Operated, facts: RunFacts, directory: Path, loop: Loop, console: Console
) -> Iterator[Operation]:
    """Let a run be operated from outside while the block lasts; the socket opens once the loop turns."""
    operation = Operation(supervisor, facts, directory, loop, console)
    loop.call_later(0.0, operation.open)
    try:
        yield operation
    finally:
        operation.close()


class Operation:
    """The operation of one run."""

    def __init__(self, supervisor: Operated, facts: RunFacts, directory: Path, loop: Loop, console: Console) -> None:
        self._supervisor = supervisor
        self._facts = facts
        self._directory = directory
        self._loop = loop
        self._console = console
        self._server: ControlServer | None = None
        self._known: dict[str, str] = {}
        self._is_turning = False
        self._survey = Survey(supervisor, loop)
        supervisor.answer_others_with(self._on_far_request)

    def open(self) -> None:
        """Open the control socket, if that can be: pyzmq is imported only now, while the nodes start."""
        try:
            import zmq
            from doraflow_runtime.control.server import ControlServer
        except ImportError as error:
            self._do_without(f"pyzmq cannot be imported ({error})")
            return
        try:
            self._server = ControlServer(self._directory, self._loop, self, time.monotonic)
        except zmq.ZMQError as error:
            self._do_without(str(error).lower())
        except OSError as error:
            self._do_without(cause(error))

    def close(self) -> None:
        """Tell those who listen that the run has ended, and close the socket."""
        if self._server is not None:
            self._server.publish("changes", Change("ended"))
            self._server.close()
            self._server = None

    def on_request(self, request: Request, answer: Callable[[Reply], None]) -> None:
        """Carry a request out, or refuse it."""
        if isinstance(request, AskMetrics):
            self._survey.ask(answer)
            return
        if isinstance(request, AskOthers):
            self._ask_others(request, answer)
            return
        try:
            answer(self._reply(request))
        except Refused as refused:
            answer(Refusal(str(refused), refused.help))

    def _on_far_request(self, request: Request, answer: Callable[[Reply], None]) -> None:
        """Carry out what another host asks; it is not handed on, or two hosts could ask each other for ever."""
        if isinstance(request, AskOthers):
            answer(Refusal("a host hands on no requests of others"))
        else:
            self.on_request(request, answer)

    def _ask_others(self, wanted: AskOthers, answer: Callable[[Reply], None]) -> None:
        try:
            _, request = decode_request(wanted.asked.encode())
        except MessageError as error:
            answer(Refusal(f"the request to other hosts is {error}"))
            return
        if isinstance(request, Subscribe | Tap | AskOthers):
            answer(Refusal("this can be asked of the run's own host only"))
            return

        def finish(replies: dict[str, Reply]) -> None:
            answer(Answers(tuple(HostAnswer(host, encode_reply(1, each).decode()) for host, each in replies.items())))

        patience = min(max(wanted.patience_ms, 0) / 1000, LONGEST_PATIENCE)
        self._supervisor.ask_others(request, finish, wanted.hosts, patience)

    def on_subscribed(self) -> None:
        """Begin to look what changes; that ends by itself when nobody wants to know any more."""
        if self._server is not None and self._server.wants("metrics"):
            self._survey.watch(self._publish_metrics)
        if not self._is_turning:
            self._is_turning = True
            self._known = self._states()
            self._loop.call_later(ROUND_SECONDS, self._turn)

    def _publish_metrics(self, metrics: Metrics) -> bool:
        """Tell what was measured; False if nobody wants to know any more."""
        if self._server is None or not self._server.wants("metrics"):
            return False
        self._server.publish("metrics", metrics)
        return True

    def _reply(self, request: Request) -> Reply:
        match request:
            case AskStatus():
                return self._status()
            case Stop():
                return self._stop(request)
            case Restart(node=node):
                return self._restart(node)
            case StopNode(node=node):
                self._supervisor.stop_node(node)
                return Done(f"`{node}` is stopped")
            case Pause(node=node):
                self._supervisor.pause(node)
                return Done(f"`{node}` is paused")
            case Resume(node=node):
                self._supervisor.resume(node)
                return Done(f"`{node}` goes on")
            case AskLogs():
                return log_copies.files(Path(self._facts.logs))
            case ReadLog():
                return log_copies.part(Path(self._facts.logs), request)
            case Tap(node=node, output=output, address=address):
                return self._tap(node, output, address)
        return Refusal(f"this launcher does not know the request {type(request).__name__}")

    def _stop(self, request: Stop) -> Reply:
        reason = "an operator asked for it"
        if request.alone:
            self._supervisor.stop_here(reason)
        else:
            self._supervisor.stop(reason)
        if request.now:
            self._supervisor.stop_at_once(reason)
        return Done("stopping")

    def _tap(self, node: str, output: str, address: str) -> Reply:
        if not is_tap_name(address):
            return Refusal(f"`{address[:80]}` is no name for a socket that taps an output")
        self._supervisor.tap(node, output, address)
        return Done(f"`{node}` sends copies of `{output}`")

    def _restart(self, node: str) -> Reply:
        if node:
            self._supervisor.restart(node)
            return Done(f"`{node}` is restarted")
        names = [status.node for status in self._supervisor.states()]
        refused = [str(why) for name in names if (why := self._try_restart(name)) is not None]
        if refused:
            more = [f"{len(refused) - _SHOWN} more are refused"] if len(refused) > _SHOWN else []
            shown = "; ".join([*refused[:_SHOWN], *more])
            raise Refused(f"{shown}; {len(names) - len(refused)} of {len(names)} nodes are restarted")
        return Done(f"{len(names)} nodes are restarted")

    def _try_restart(self, node: str) -> Refused | None:
        try:
            self._supervisor.restart(node)
        except Refused as refused:
            return refused
        return None

    def _status(self) -> Status:
        now = time.time()
        nodes = tuple(_told(status, now) for status in self._supervisor.states())
        at_ms = int(time.monotonic() * 1000)
        return Status(self._facts, self._supervisor.phase, at_ms, nodes, self._supervisor.hosts())

    def _states(self) -> dict[str, str]:
        """Say how run (under an empty name) and nodes stand, in words."""
        return {"": self._supervisor.phase} | {status.node: _word(status) for status in self._supervisor.states()}

    def _turn(self) -> None:
        server = self._server
        if server is None or not server.wants("changes"):
            self._is_turning = False
            return
        states = self._states()
        for node, state in states.items():
            if self._known.get(node) != state:
                server.publish("changes", Change(state, node))
        self._known = states
        server.pump()
        self._loop.call_later(ROUND_SECONDS, self._turn)

    def _do_without(self, reason: str) -> None:
        message = f"this run has no control socket, and `doraflow` cannot reach it: {reason}"
        self._console.progress("uncontrolled", message)


def _word(status: NodeStatus) -> str:
    return "paused" if status.paused and status.pid is not None else status.state


def _told(status: NodeStatus, now: float) -> NodeState:
    used = usage_of(status.pid) if status.pid is not None else Usage()
    is_there = status.pid is not None and status.started is not None
    return NodeState(
        node=status.node,
        state=_word(status),
        process=status.pid or 0,
        uptime_ms=max(0, int((now - (status.started or now)) * 1000)) if is_there else None,
        restarts=status.restarts,
        cpu_ms=used.cpu_ms,
        memory=used.memory,
        last_exit=status.last_exit,
    )
