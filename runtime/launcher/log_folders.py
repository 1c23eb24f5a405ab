"""The folders that logs lie in: one for each run, private, and the newest of a dataflow are kept.

A folder holds `run.json`, which says what run it is of; its launcher holds a lock on that file as long as it lives, so
that anyone can tell whether the run goes on. What lies in the log files is others' affair.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN_FILE = "run.json"
KEPT_RUNS = 20
_CODE = "DF806"
_BEGINNING = 60.0  # seconds that a launcher may take between making its folder and writing down what it is
_NAME = re.compile(r"\d{8}T\d{6}Z-\d+")


@dataclass(frozen=True, slots=True)
class LogFolder:
    """A folder for the logs of one run; it is in use as long as `lock` (a descriptor, or None) is open."""

    path: Path
    lock: int | None

    def close(self) -> None:
        """Say that the run is over."""
        if self.lock is not None:
            os.close(self.lock)

    def discard(self) -> None:
        """Remove the folder of a run that has never begun, if nothing was written to it."""
        with contextlib.suppress(OSError):
            if self.lock is not None and [entry.name for entry in os.scandir(self.path)] == [RUN_FILE]:
                (self.path / RUN_FILE).unlink()
                self.path.rmdir()


def default_folder(dataflow: str, environment: Mapping[str, str]) -> Path:
    """Name a folder for the logs of a run that begins now, below `XDG_STATE_HOME` or `~/.local/state`."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/"), ".local", "state"))
    return Path(state, "doraflow", dataflow, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}")


def create_folder(path: Path, dataflow: str, run: str, nodes: Sequence[str], name: str = "") -> LogFolder:
    """Make a folder, for this user alone, or take one that exists; then write down which run it is of.

    `name` is that of the run, empty for one made of the dataflow's. Raises LaunchError where that cannot be done.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return LogFolder(path, _describe(path / RUN_FILE, dataflow, run, nodes, name))
    except OSError as error:
        message = f"the log folder `{path}` cannot be used: {cause(error)}"
        raise LaunchError(Finding(_CODE, message, help="name another one with `--log-dir DIR`")) from error


def remove_oldest(newest: Path, kept: int) -> None:
    """Keep the folders of the `kept` newest runs beside `newest` and with it; one that is in use always stays.

    What cannot be removed stays too: the run does not need its place.
    """
    with contextlib.suppress(OSError):
        found = sorted(entry.name for entry in os.scandir(newest.parent) if _NAME.fullmatch(entry.name))
        for name in found[: max(0, len(found) - kept)]:
            path = newest.parent / name
            if path != newest and path.is_dir() and not path.is_symlink() and not _is_in_use(path):
                shutil.rmtree(path, ignore_errors=True)


def _describe(path: Path, dataflow: str, run: str, nodes: Sequence[str], name: str) -> int | None:
    """Write the run file and lock it; None where another launcher, given the same folder, holds the lock."""
    text = json.dumps(
        {
            "dataflow": dataflow,
            "run": run,
            "name": name,
            "began": datetime.now(UTC).isoformat(timespec="microseconds"),
            "process": os.getpid(),
            "nodes": list(nodes),
        }
    )
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{text}\n".encode())
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        if error.errno != errno.ENOSPC:  # a full disk costs the log, and not the run
            os.close(descriptor)
            raise
    return descriptor


def _is_in_use(folder: Path) -> bool:
    """Tell whether a launcher lives that writes here, or one may be about to begin."""
    try:
        descriptor = os.open(folder / RUN_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime < _BEGINNING
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
