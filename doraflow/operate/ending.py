"""The end of a run, or of one of its nodes, asked for and waited for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client
from doraflow_runtime.control.messages import AskStatus, Refusal, Status, Stop, StopNode
from doraflow_runtime.control.registry import is_alive

from doraflow.diagnostics import Sink
from doraflow.operate.asking import ask, findings_of_control
from doraflow.operate.fleet import ask_host, ask_others, chosen_hosts, home_of, look, reasons, survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from doraflow_runtime.control.registry import FoundRun

_PAUSE = 0.05
_ASK_SECONDS = 5.0
_OVER = ("ended", "failed", "lost", "absent", "strange")
"""States after which nothing follows, of nodes and of hosts that cannot be waited for."""
_OVER_HOSTS = ("ended", "absent", "strange")
"""States of a host on which nothing of the run goes on."""
_FIRST_NEWS_AFTER = 2.0


def stop(run: FoundRun, timeout: float, notice: Callable[[str], None], sink: Sink, *, now: bool = False) -> bool:
    """Ask all hosts of a run to end and wait until they have, for `timeout` seconds; False after a finding.

    `notice` is told what is waited for when that takes a while. With a `timeout` of 0 nothing is waited for.
    """
    others = dict(_others(run))
    refused = _kill_others(run) if now and others else {}
    if ask(run, Stop(now), min(timeout, 5.0) or 5.0, sink) is None:
        return not is_alive(run) and _has_just_ended(sink)
    if timeout == 0:
        return _tell_refused(refused, others, sink)
    has_ended = wait_for_end(run, timeout, notice, sink, look=(lambda: others.update(_others(run))) if others else None)
    lost = [host for host, state in others.items() if state == "lost"]
    if has_ended and lost:
        listed = ", ".join(f"`{host}`" for host in lost)
        message = f"this host has ended, but {listed} could not be asked to: nothing was heard of it"
        sink.error("DF846", message, help="see to the network, then `doraflow stop` there; its nodes may run on")
        return False
    left = [host for host, state in others.items() if state not in _OVER]
    if has_ended and left:
        listed = ", ".join(f"`{host}` ({others[host]})" for host in left)
        notice(f"this host has ended, and others were about to: {listed}")
    return _tell_refused(refused, others, sink) and has_ended


def _kill_others(run: FoundRun) -> dict[str, Refusal]:
    """Ask the other hosts to kill what they have, each by itself; give why some of them do not."""
    with findings_of_control(Sink()), Client(run.directory, _ASK_SECONDS) as client:
        replies = ask_others(client, Stop(now=True, alone=True), _ASK_SECONDS)
        return {host: reply for host, reply in replies.items() if isinstance(reply, Refusal)}
    return {}


def _tell_refused(refused: dict[str, Refusal], states: dict[str, str], sink: Sink) -> bool:
    """Tell of hosts that did not stop at once, but for those on which nothing goes on; False if there is one."""
    left = {host: why for host, why in refused.items() if states.get(host) not in _OVER}
    if left:
        listed = "; ".join(reasons(left))
        message = f"not every host was stopped at once, and its nodes may take until the end of their grace: {listed}"
        sink.error("DF843", message, help="end what runs on there with `doraflow stop --now`")
    return not left


def stop_host(
    run: FoundRun, host: str, timeout: float, notice: Callable[[str], None], sink: Sink, *, now: bool
) -> bool:
    """Ask one host of a run to end, and wait until it has; the others go on. False after a finding."""
    views = survey(run, _ASK_SECONDS, sink, wants_metrics=False)
    if not views:
        return False
    with findings_of_control(sink), Client(run.directory, _ASK_SECONDS) as client:
        chosen_hosts(views, host)
        ask_host(client, views[0].host, host, Stop(now, alone=True), _ASK_SECONDS)
    if sink.has_errors or timeout == 0:
        return not sink.has_errors
    if host == views[0].host:
        return wait_for_end(run, timeout, notice, sink)
    # Silence is no end: this host may be slow to answer, and one that is lost may run on.
    return _wait(
        lambda: dict(_others(run)).get(host, "silent"), f"host `{host}`", timeout, notice, sink, over=_OVER_HOSTS
    )


def stop_node(
    run: FoundRun, node: str, timeout: float, notice: Callable[[str], None], sink: Sink, host: str = ""
) -> bool:
    """Ask one node to end for good and wait until it has, for `timeout` seconds; False after a finding.

    The end of the run, which may have been waiting for this node alone, is the end of the node.
    """
    with findings_of_control(sink), Client(run.directory, _ASK_SECONDS) as client:
        views = look(client, _ASK_SECONDS, wants_metrics=False)
        home = home_of(node, views, host)
        ask_host(client, views[0].host, home, StopNode(node), min(timeout, 5.0) or 5.0)
    if sink.has_errors or timeout == 0:
        return not sink.has_errors
    return _wait(lambda: _state_of(run, node), f"`{node}`", timeout, notice, sink)


def _wait(
    ask_state: Callable[[], str],
    what: str,
    timeout: float,
    notice: Callable[[str], None],
    sink: Sink,
    over: Collection[str] = _OVER,
) -> bool:
    """Wait until something is over; False, with a finding, if it is not after `timeout` seconds."""
    began, told = time.monotonic(), 0.0
    while (state := ask_state()) not in ("", *over):
        waited = time.monotonic() - began
        if waited >= timeout:
            message = f"{what} has not ended within {timeout:g} s; it is {state}"
            sink.error("DF846", message, help="`--timeout` gives it longer, `--now` kills all nodes of a run or host")
            return False
        if waited >= told + _FIRST_NEWS_AFTER:
            notice(f"waiting for {what} to end ({waited:.0f} s of at most {timeout:g})")
            told = waited
        time.sleep(_PAUSE)
    return True


def _state_of(run: FoundRun, node: str) -> str:
    """Ask how a node stands; empty if its run has ended, or ends without an answer."""
    views = survey(run, _ASK_SECONDS, Sink(), wants_metrics=False) if is_alive(run) else ()
    standing = [each for view in views if view.status is not None for each in view.status.nodes]
    return next((each.state for each in standing if each.node == node), "silent" if is_alive(run) else "")


def _others(run: FoundRun) -> Iterator[tuple[str, str]]:
    """Ask how the other hosts stand; nothing if that cannot be told just now."""
    status = ask(run, AskStatus(), 1.0, Sink()) if is_alive(run) else None
    for host in status.hosts if isinstance(status, Status) else ():
        yield host.host, host.state


def wait_for_end(
    run: FoundRun,
    timeout: float,
    notice: Callable[[str], None],
    sink: Sink,
    look: Callable[[], None] | None = None,
) -> bool:
    """Wait until nothing of a run is left on this host; False, with a finding, if something is after `timeout` seconds.

    `look`, if given, is called while that takes.
    """
    began = time.monotonic()
    told, pause = 0.0, _FIRST_NEWS_AFTER
    while is_alive(run):
        waited = time.monotonic() - began
        if waited >= timeout:
            sink.error(
                "DF846",
                f"`{run.name}` has not ended within {timeout:g} s; its launcher is process {run.facts.launcher}",
                help=f"`doraflow stop {run.name} --now` kills what is left, `--timeout` gives it longer",
            )
            return False
        if waited >= told + pause:
            notice(f"waiting for `{run.name}` to end ({waited:.0f} s of at most {timeout:g})")
            told, pause = waited, pause * 2
        if look is not None:
            look()
        time.sleep(_PAUSE)
    return True


def process_exists(number: int) -> bool:
    """Tell whether a process of this number is there."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _has_just_ended(sink: Sink) -> bool:
    """Take back the finding that a run did not answer: it ended by itself at that moment, as was asked."""
    sink.found.clear()
    return True
