"""The end of a run, or of one of its nodes, asked for and waited for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import AskStatus, Status, Stop, StopNode
from doraflow_runtime.control.registry import is_alive

from doraflow.diagnostics import Sink
from doraflow.operate.asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.control.registry import FoundRun

_PAUSE = 0.05
_FIRST_NEWS_AFTER = 2.0


def stop(run: FoundRun, timeout: float, notice: Callable[[str], None], sink: Sink, *, now: bool = False) -> bool:
    """Ask a run to end and wait until it has, for `timeout` seconds; False after a finding.

    `notice` is told what is waited for when that takes a while. With a `timeout` of 0 nothing is waited for.
    """
    if ask(run, Stop(now), min(timeout, 5.0) or 5.0, sink) is None:
        return not is_alive(run) and _has_just_ended(sink)
    return timeout == 0 or wait_for_end(run, timeout, notice, sink)


def stop_node(run: FoundRun, node: str, timeout: float, notice: Callable[[str], None], sink: Sink) -> bool:
    """Ask one node to end for good and wait until it has, for `timeout` seconds; False after a finding.

    The end of the run, which may have been waiting for this node alone, is the end of the node.
    """
    if ask(run, StopNode(node), min(timeout, 5.0) or 5.0, sink) is None:
        return False
    began, told = time.monotonic(), 0.0
    while timeout:
        waited = time.monotonic() - began
        state = _state_of(run, node)
        if state in ("", "ended", "failed"):
            break
        if waited >= timeout:
            message = f"`{node}` has not ended within {timeout:g} s; it is {state}"
            mend = f"`--timeout` gives it longer, `doraflow stop {run.name} --now` kills the run"
            sink.error("DF846", message, help=mend)
            return False
        if waited >= told + _FIRST_NEWS_AFTER:
            notice(f"waiting for `{node}` to end ({waited:.0f} s of at most {timeout:g})")
            told = waited
        time.sleep(_PAUSE)
    return True


def _state_of(run: FoundRun, node: str) -> str:
    """Ask how a node stands; empty if its run has ended, or ends without an answer."""
    sink = Sink()
    status = ask(run, AskStatus(), 5.0, sink) if is_alive(run) else None
    nodes = status.nodes if isinstance(status, Status) else ()
    return next((each.state for each in nodes if each.node == node), "silent" if is_alive(run) else "")


def wait_for_end(run: FoundRun, timeout: float, notice: Callable[[str], None], sink: Sink) -> bool:
    """Wait until nothing of a run is left; False, with a finding, if something is after `timeout` seconds."""
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
