"""Runs of the versions on this host: found by what they say of themselves, started in the background, and ended.

What a run says is read with the runtime that lies in the bundle, so that this host needs no doraflow.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from doraflow.deploy.remote.place import Place

NO_UNITS: Mapping[Path, str] = MappingProxyType({})

_WAKE = 0.5
_TAIL = 12


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that goes on: its name, its version, the launcher's process, when it began, in UTC, and in which unit."""

    run: str
    version: str
    process: int
    started: str
    unit: str | None = None


def find(place: Place, units: Mapping[Path, str] = NO_UNITS) -> tuple[FoundRun, ...]:
    """List the runs of the versions of a dataflow, oldest first; `units` are those of systemd, by their run folders."""
    versions = [place.current(), *read_record(place).whole]
    runtime = next((path for name in versions if name and (path := place.version(name) / "runtime").is_dir()), None)
    if runtime is None:
        return ()
    if str(runtime) not in sys.path:
        sys.path.insert(0, str(runtime))
    from doraflow_runtime.control.places import base_directory
    from doraflow_runtime.control.registry import find_runs

    root = place.versions.resolve()
    found = (
        FoundRun(run.name, Path(run.facts.bundle).name, run.facts.launcher, run.facts.started, unit)
        for base, unit in {base_directory(os.environ): None, **units}.items()
        for run in find_runs(base)
        if run.is_alive and Path(run.facts.bundle).parent == root
    )
    return tuple(sorted(found, key=lambda run: (run.started, run.run)))


def start(place: Place, host: str, options: Sequence[str], patience: float, mask: int, beat: Callable[[], None]) -> str:
    """Start the current version in the background, wait until its nodes have started, and name the run.

    Raises RemoteError with what the launcher said if it does not start within `patience` seconds.
    """
    name = place.current()
    whole = read_record(place).whole.get(name)
    if whole is None:
        raise RemoteError("DF876", "nothing is deployed that could be started", "deploy it first")
    version = place.version(name).resolve()
    command = [whole.python, "-B", str(version / f"launch_{host}.py"), "--detached", *options]
    process = subprocess.Popen(
        command,
        cwd=version,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=mask,
    )
    run, tail, deadline = "", [], time.monotonic() + patience
    for line in _lines(process.stdout, deadline, beat):
        match _event(line):
            case {"event": "launching", "run": str(run)}:
                pass
            case {"event": "started"}:
                return run
            case {"message": str(message)} | {"text": str(message)}:
                tail.append(message)
            case {}:
                tail.append(line)
    if process.poll() is None and time.monotonic() >= deadline:
        process.send_signal(signal.SIGTERM)
        reason = f"has not started within {patience:g} s, and was told to end"
    else:
        code = process.wait(patience)
        if code == 0:
            return run  # its nodes had nothing more to do
        reason = f"ended with exit code {code}"
    raise RemoteError("DF879", f"the run of {name} {reason}", "see what its launcher told, above", tuple(tail[-_TAIL:]))


def stop(place: Place, patience: float, beat: Callable[[], None]) -> tuple[FoundRun, ...]:
    """End the runs of a dataflow, and wait until nothing of them is left; give those that went on.

    Raises RemoteError for one that does not end within `patience` seconds.
    """
    before = find(place)
    for run in before:
        with suppress(ProcessLookupError):
            os.kill(run.process, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while left := find(place):
        beat()
        if time.monotonic() >= deadline:
            raise RemoteError(
                "DF879",
                f"`{left[0].run}` has not ended within {patience:g} s; its launcher is process {left[0].process}",
                f"`kill -9 {left[0].process}` there kills it, `--run-timeout` gives it longer",
            )
        time.sleep(_WAKE / 5)
    return before


def _lines(stream: IO[bytes] | None, deadline: float, beat: Callable[[], None]) -> Iterator[str]:
    """Give the lines that come until the stream ends or the time is over."""
    if stream is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector, stream:
        selector.register(stream, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            beat()
            if not selector.select(_WAKE):
                continue
            data = os.read(stream.fileno(), 65536)
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not data:
                return


def _event(line: str) -> dict[str, object]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
