"""The findings that close a run: which nodes failed, how, and where to read more.

Pure: endings and last lines in, findings out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.distributions import module_mend
from doraflow_runtime.launcher.console import printable
from doraflow_runtime.launcher.endings import Verdict
from doraflow_runtime.launcher.findings import Finding
from doraflow_runtime.launcher.signals import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doraflow_runtime.contract import Process
    from doraflow_runtime.launcher.endings import Ending
    from doraflow_runtime.launcher.records import Record

SHOWN_LINES = 10
_LONGEST_SHOWN = 300
_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Iteration)(?::|$)")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What went on in the run when a node failed.

    `stopped_for` is the node for whose failure the run was being stopped, if any; `grace` the pause before SIGKILL, in
    seconds; `given_up` says why the node was not started again, if its policy asks for that.
    """

    stopped_for: str = ""
    grace: float = 0.0
    given_up: str = ""


def failure(
    process: Process, ending: Ending, last: Sequence[Record], log: Path, circumstances: Circumstances | None = None
) -> Finding:
    """Describe a node that failed."""
    circumstances = circumstances or Circumstances()
    exception = exception_line(last)
    message = f"`{process.node}` {how(ending, circumstances.grace)}"
    if exception is not None and ending.verdict() is Verdict.FAILED:
        message += f": {_shown(exception)}"
    lines = [line for record in list(last)[-SHOWN_LINES:] for line in record.lines()]
    notes = [_shown(line) for line in lines[-SHOWN_LINES:]]
    if circumstances.stopped_for:
        notes.append(f"(it was being stopped at that time, because `{circumstances.stopped_for}` had failed)")
    if circumstances.given_up:
        notes.append(f"(it is not started again: {circumstances.given_up})")
    return Finding("DF802", message, process.node, process.place, tuple(notes), _mend(exception, log))


def not_ready(process: Process, timeout: float, log: Path) -> Finding:
    """Describe a node that has not said hello in time."""
    message = f"`{process.node}` did not become ready within {timeout:g} s: it runs, but it has not joined the dataflow"
    mend = f"let it create its `Node` sooner, or raise `--start-timeout`; its output is in `{log}`"
    return Finding("DF803", message, process.node, process.place, help=mend)


def far_failure(host: str, node: str, error: str) -> Finding:
    """Describe a node of another host that failed."""
    return Finding("DF883", f"`{node}` on host `{host}` {error}", node, help=_where_more(host))


def far_stop(host: str, node: str, reason: str) -> Finding:
    """Describe why the dataflow was stopped, for a failure on another host: of `node` there, if that is named."""
    return Finding("DF882", f"the dataflow was stopped by host `{host}`: {reason}", node, help=_where_more(host))


def _where_more(host: str) -> str:
    return f"the report of the launcher on `{host}` tells more"


def exception_line(last: Sequence[Record]) -> str | None:
    """Find the line of the last traceback that names the exception, or one that looks like it.

    A syntax error in the script itself has no traceback, only that line. Standard error counts first: the lines of
    the other stream may stand between.
    """
    stderr = [record for record in last if record.fields.get("stream") == "stderr" or "traceback" in record.fields]
    return _exception_in(stderr) or _exception_in(last)


def _exception_in(records: Sequence[Record]) -> str | None:
    lines = [line for record in records for line in record.lines()]
    starts = [index for index, line in enumerate(lines) if line.strip() == _TRACEBACK]
    if starts:
        for line in lines[starts[-1] + 1 :]:
            if line and not line[0].isspace():
                return line
    return next((line for line in reversed(lines) if _EXCEPTION.match(line)), None)


def how(ending: Ending, grace: float) -> str:
    """Say how a process ended, as what follows the name of its node; `grace` is in seconds."""
    match ending.verdict():
        case Verdict.ABANDONED:
            return "cannot be killed; the system holds its process"
        case Verdict.IGNORED_STOP:
            return f"did not end within {grace:g} s of SIGTERM and was killed"
    if ending.silence:
        return f"showed no sign of life for {ending.silence:.1f} s and was killed"
    if ending.lateness:
        return f"did not join the dataflow within {ending.lateness:g} s, its `startup_timeout`, and was killed"
    if not ending.code:
        return "ended"
    when = "" if ending.has_arrived else " before it joined the dataflow"
    if ending.code < 0:
        return f"was killed by {name_of(-ending.code)}{when}"
    return f"failed{when} with exit code {ending.code}"


def _mend(exception: str | None, log: Path) -> str:
    mend = module_mend(exception) if exception is not None and exception.startswith("ModuleNotFoundError") else None
    return f"{mend}; the whole output is in `{log}`" if mend else f"the whole output is in `{log}`"


def _shown(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
