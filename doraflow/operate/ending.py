"""The end of a run, asked for and waited for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import Stop
from doraflow_runtime.control.registry import is_alive

from doraflow.operate.asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink

_PAUSE = 0.05
_FIRST_NEWS_AFTER = 2.0


def stop(run: FoundRun, timeout: float, notice: Callable[[str], None], sink: Sink, *, now: bool = False) -> bool:
    """Ask a run to end and wait until it has, for `timeout` seconds; False after a finding.

    `notice` is told what is waited for when that takes a while. With a `timeout` of 0 nothing is waited for.
    """
    if ask(run, Stop(now), min(timeout, 5.0) or 5.0, sink) is None:
        return not is_alive(run) and _has_just_ended(sink)
    return timeout == 0 or wait_for_end(run, timeout, notice, sink)


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
