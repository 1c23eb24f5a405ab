"""This host's run as one of several: what it tells the launchers of other hosts, and what follows from their words.

The company itself (who is there, what is said) is `doraflow_runtime.fleet`; a run of one host has none, and everything
here is then without effect. pyzmq is imported when the company is opened.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import (
    MessageError,
    Refusal,
    Subscribe,
    Tap,
    decode_answer,
    decode_request,
    encode_reply,
    encode_request,
)
from doraflow_runtime.fleet.crew import Standing
from doraflow_runtime.fleet.messages import LARGEST, StopNotice, fit
from doraflow_runtime.launcher import host_findings
from doraflow_runtime.launcher.far_news import FarNews
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.neighbours import host_state, rows_for
from doraflow_runtime.launcher.reach import address_in, is_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doraflow_runtime.control.messages import HostState, Reply, Request
    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.company import Company
    from doraflow_runtime.fleet.far_nodes import FarChange
    from doraflow_runtime.fleet.messages import NodeRow, Phase
    from doraflow_runtime.launcher.judging import Judge
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.scene import Scene

PATIENCE = 3.0
"""Seconds that other hosts have for an answer, if the caller says nothing else."""
FAREWELL_SECONDS = 6.0
"""How long a launcher whose nodes have ended stays until every host that is there knows of it: longer than the pause
between two attempts to connect to one, and an attempt."""
LATECOMERS_SECONDS = 10.0
"""How long a launcher whose start has failed stays for hosts that have not come: those launched together with it."""
_SHOWN = 5
_LOOK_AGAIN = 0.25


class Together:
    """The run of one host among others; the crew of its company. `stop` is told why this host has to stop as well."""

    def __init__(self, scene: Scene, judge: Judge, loop: Loop, stop: Callable[[str, str], None]) -> None:
        self._scene = scene
        self._loop = loop
        self._stop = stop
        self._news = FarNews(scene, judge, loop)
        self._company: Company | None = None
        self._answer: Callable[[Request, Callable[[Reply], None]], None] | None = None
        self._notice: StopNotice | None = None
        self._has_ended = False
        self._is_over = False
        if scene.run.terms is not None:
            scene.joining.may_start = lambda: False  # until the others can be asked

    # ---- what the supervisor asks

    def open(self) -> None:
        """Look for the other launchers, if the dataflow has any. Raises LaunchError if that cannot be."""
        terms = self._scene.run.terms
        if terms is None:
            return
        try:
            from doraflow_runtime.fleet.company import Company
            from doraflow_runtime.fleet.link import Link, LinkError
        except ImportError as error:
            raise LaunchError(host_findings.no_pyzmq(error)) from error
        homes = {node.id: node.host for node in self._scene.run.wiring.far}
        try:
            self._company = Company(terms, homes, self, self._loop, Link)
        except LinkError as error:
            raise LaunchError(host_findings.unlinked(terms.endpoint, str(error))) from error
        self._scene.joining.may_start = self._company.may_start
        self._scene.joining.on_change = self._company.change

    @property
    def company(self) -> Company | None:
        """The launchers of the other hosts, if there are any."""
        return self._company

    def stop_others(self, reason: str, failed: str = "", *, has_failed: bool = False) -> None:
        """Let all other hosts stop as well, because `reason`; `failed` is the node whose failure that is, if any."""
        terms = self._scene.run.terms
        if terms is not None and self._notice is None:
            self._notice = StopNotice(terms.host, fit(reason), failed, bool(failed) or has_failed)
            self._scene.joining.on_change()

    def times(self) -> Iterator[float]:
        """Give the times at which to look again."""
        if self._is_waiting():
            yield time.monotonic() + _LOOK_AGAIN

    def act(self, now: float) -> None:
        """Say which hosts are awaited, and end the wait when it was too long."""
        if self._company is None or not self._is_waiting():
            return
        gathering, hosts = self._company.gathering, self._company.hosts
        missing = gathering.missing(hosts, now)
        if missing:
            terms = self._company.terms
            unknown = [host.name for host in missing if not is_found(address_in(terms.endpoints[host.name]))]
            self._scene.failures.add_host(host_findings.not_come(missing, gathering.timeout, terms, unknown))
            names = host_findings.named(host.name for host in missing)
            reason = f"{names} did not come within {gathering.timeout:g} s"
            self.stop_others(reason, has_failed=True)
            self._stop(reason, "")
        elif gathering.is_to_tell(now):
            message = host_findings.waiting(gathering.awaited(hosts), gathering.seconds_left(now))
            self.tell("waiting_for_hosts", message, hosts=[host.name for host in gathering.awaited(hosts)])

    def end(self, is_hurried: Callable[[], bool]) -> None:
        """Let the other hosts know that this one has ended, and close the company; waits for them a moment."""
        company = self._company
        if company is None:
            return
        self._has_ended = True
        company.change()
        self._loop.run_once(0.0)
        self._await_latecomers(company, is_hurried)
        deadline = time.monotonic() + FAREWELL_SECONDS
        while not company.is_understood() and (left := deadline - time.monotonic()) > 0:
            self._loop.run_once(min(left, _LOOK_AGAIN))
        self.close()

    def close(self) -> None:
        """Close the company at once."""
        self._is_over = True
        if self._company is not None:
            self._company.close()

    # ---- requests across hosts

    def answer_with(self, answer: Callable[[Request, Callable[[Reply], None]], None]) -> None:
        """Let requests of other hosts be carried out by `answer`, as those of the control socket are."""
        self._answer = answer

    def ask_others(
        self,
        request: Request,
        done: Callable[[dict[str, Reply]], None],
        hosts: Iterable[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        """Send a request of the control protocol to the launchers of other hosts, and give their answers by host.

        `hosts` are those that are asked, in that order; all others of the dataflow if none is named. `done` is called
        once, in the launcher's loop, when all have answered or `patience` seconds are over. Its table has an entry for
        every host that was asked: a Refusal says why one has no answer of its own (it is not there, is lost, or was too
        slow). This host is not asked, and a run of one host gives an empty table at once.
        """
        company = self._company
        if company is None:
            done({})
            return
        names = tuple(hosts) or tuple(host.name for host in company.hosts)
        text = encode_request(1, request).decode()

        def finish(answers: dict[str, str | None]) -> None:
            known = {host.name: host for host in company.hosts}
            replies = {
                name: _read(answer) if answer is not None else host_findings.no_answer(name, known.get(name), patience)
                for name, answer in ((name, answers.get(name)) for name in names)
            }
            done(replies)

        company.ask(names, text, patience, finish)

    def states(self, now: float) -> tuple[HostState, ...]:
        """Say where every other host stands."""
        company = self._company
        if company is None:
            return ()
        return tuple(host_state(host, company.estimate(host.name), now) for host in company.hosts)

    # ---- what the company asks and tells: the Crew

    def standing(self) -> Standing:
        """Say where this host stands."""
        joining, barrier = self._scene.joining, self._scene.barrier
        awaited = () if joining.is_started else barrier.awaited[:_SHOWN]
        return Standing(self._phase(), joining.is_started, awaited, self._notice)

    def rows(self, host: str) -> tuple[NodeRow, ...]:
        """Say where the nodes stand that a host has to know of."""
        return rows_for(host, self._scene)

    def on_gathered(self) -> None:
        """Start, if that was all that was waited for."""
        self._scene.joining.start_if_ready()

    def on_stop(self, notice: StopNotice) -> None:
        """Stop, since the dataflow is stopped."""
        if self._notice is not None or self._is_over:
            return
        self._notice = notice
        if self._scene.is_stopping or self._has_ended:
            return
        if notice.has_failed:
            self._scene.failures.add_far_stop(notice.host, notice.node, notice.reason)
        failed = f"{notice.node}` on host `{notice.host}" if notice.node else ""
        self._stop(f"{notice.reason} (on host `{notice.host}`)", failed)

    def on_far_change(self, change: FarChange) -> None:
        """Let the nodes of this host know what has become of one elsewhere."""
        if not self._is_over:
            self._news.take(change)

    def on_life(self, host: str, life: str) -> None:
        """Let those who send to a host's nodes know which run of it is there."""
        self._news.take_life(host, life)

    def on_clock(self, host: str, estimate: Estimate) -> None:
        """Let the readers of a host's nodes know how far its clock is off."""
        self._news.take_clock(host, estimate)

    def on_silence(self, host: str, seconds: float) -> None:
        """Let nobody be held back for ever by a host that is lost."""
        if self._company is not None:
            self._news.take_silence(host, seconds, self._company.terms.away_after)

    def on_request(self, request: str, answer: Callable[[str], None]) -> None:
        """Carry out what another host asks."""

        def reply(made: Reply) -> None:
            text = encode_reply(1, made).decode()
            if len(text) > LARGEST // 2:
                text = encode_reply(1, Refusal("the answer is too large to be sent to another host")).decode()
            answer(text)

        try:
            _, asked = decode_request(request.encode())
        except MessageError as error:
            reply(Refusal(str(error)))
            return
        if self._answer is None or isinstance(asked, Subscribe | Tap):
            reply(Refusal("this is not answered to other hosts"))
            return
        self._answer(asked, reply)

    def tell(self, event: str, message: str, **fields: object) -> None:
        """Tell whoever looks on."""
        self._scene.console.progress(event, message, **fields)

    # ---- its own state

    def _await_latecomers(self, company: Company, is_hurried: Callable[[], bool]) -> None:
        """Stay a moment where a node has failed before the start: who comes now would wait for a host that is gone."""
        if self._notice is None or not self._notice.node or self._scene.joining.is_started or not company.lacks():
            return
        now = time.monotonic()
        deadline = now + min(LATECOMERS_SECONDS, company.gathering.seconds_left(now))
        if deadline > now:
            hosts = host_findings.named(company.lacks())
            message = f"the start has failed; staying {deadline - now:.0f} s to tell {hosts}, in case of a launch there"
            self.tell("waiting_to_tell", message, hosts=list(company.lacks()))
        while company.lacks() and not is_hurried() and (left := deadline - time.monotonic()) > 0:
            self._loop.run_once(min(left, _LOOK_AGAIN))

    def _is_waiting(self) -> bool:
        """Tell whether the start waits for other hosts, and for nothing else."""
        joining = self._scene.joining
        is_over = joining.is_started or self._scene.is_stopping
        return self._company is not None and not is_over and self._scene.barrier.is_open

    def _phase(self) -> Phase:
        if self._has_ended:
            return "ended"
        if self._scene.is_stopping:
            return "stopping"
        if self._scene.joining.is_started:
            return "running"
        return "ready" if self._scene.barrier.is_open else "starting"


def _read(answer: str) -> Reply:
    try:
        said = decode_answer(answer.encode())
    except MessageError as error:
        return Refusal(f"it answered with {error}")
    return getattr(said, "reply", Refusal("it answered with news"))
