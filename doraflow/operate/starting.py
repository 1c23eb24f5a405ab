"""A run that is started in the background: its launcher as a daemon, and the wait until it has started or failed."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doraflow.diagnostics import Sink

MARGIN_SECONDS = 30.0
"""What a launcher may take beyond the time that its nodes have: to verify the bundle, and to end what it started."""
_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Started:
    """What became of a start. `code` is 0 for a run that goes on, or has ended well already."""

    run: str
    logs: str
    process: int
    code: int


def start_detached(
    command: Sequence[str], start_timeout: float, show: Callable[[str], None], sink: Sink
) -> Started | None:
    """Start a launcher with `command` in a session of its own, and wait until its nodes have started.

    `show` is given each line that the launcher tells meanwhile. None, with a finding, if it tells nothing in time. A
    KeyboardInterrupt ends the launcher.
    """
    patience = start_timeout + MARGIN_SECONDS
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    run, logs = "", ""
    try:
        for line in _lines(process.stdout, time.monotonic() + patience):
            if line is None:
                sink.error(
                    "DF845",
                    f"the launcher, process {process.pid}, has neither started nor failed within {patience:g} s",
                    help=f"look at it with `doraflow list`; `kill {process.pid}` ends it",
                )
                return None
            show(line)
            match _event(line):
                case {"event": "launching", "run": str(run), "logs": str(logs)}:
                    pass
                case {"event": "started"}:
                    return Started(run, logs, process.pid, 0)
        return Started(run, logs, process.pid, process.wait(_END_SECONDS))
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait(_END_SECONDS)
        raise
    finally:
        process.returncode = process.returncode or 0  # whatever is left of it goes on without us
        if process.stdout is not None:
            process.stdout.close()


def _lines(stream: IO[bytes] | None, deadline: float) -> Iterator[str | None]:
    """Give the lines that come until the stream ends; None when the time is over."""
    if stream is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                yield None
                return
            data = stream.read1(65536)  # type: ignore[attr-defined]  # a pipe of Popen is buffered
            *lines, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
            if not data:
                return


def _event(line: str) -> dict[str, object]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
