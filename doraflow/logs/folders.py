"""Where the logs of runs lie, and which run is meant.

A run is found by its folder alone, so one that has ended is found like one that goes on. What its files say is read
elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_FILE = "run.json"
_NAME = re.compile(r"\d{8}T\d{6}Z-\d+")
_LOG = re.compile(r"(?P<node>.+)\.jsonl(?:\.\d+)?")
_SHORT_ID = 8


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A folder of logs: `run` is the run's id, `began` when it did, `nodes` are all of its dataflow, in their order."""

    folder: Path
    dataflow: str
    run: str = ""
    began: str = ""
    nodes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name under which the launcher told of the run."""
        return f"{self.dataflow}-{self.run[:_SHORT_ID]}" if self.run else self.folder.name

    def goes_on(self) -> bool:
        """Tell whether its launcher lives: it holds a lock as long as it does."""
        try:
            descriptor = os.open(self.folder / RUN_FILE, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def files(self) -> dict[str, Path]:
        """Find the log files that exist, by node; nodes of the dataflow come first, in its order."""
        found = {}
        for entry in os.scandir(self.folder):
            log = _LOG.fullmatch(entry.name)
            if log:
                found[unquote(log["node"])] = self.folder / f"{log['node']}.jsonl"
        known = [node for node in self.nodes if node in found]
        return {node: found[node] for node in [*known, *sorted(found.keys() - set(known))]}


def state_folder(environment: Mapping[str, str]) -> Path:
    """Name the folder below which launchers keep logs; it need not exist."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/"), ".local", "state"))
    return Path(state, "doraflow")


def read_run(folder: Path) -> LoggedRun:
    """Read what a folder of logs is of; one that does not say is named by where it lies."""
    try:
        said = json.loads((folder / RUN_FILE).read_bytes())
    except (OSError, ValueError):
        said = None
    match said:
        case {"dataflow": str(dataflow), "run": str(run), "began": str(began), "nodes": [*nodes]}:
            return LoggedRun(folder, dataflow, run, began, tuple(map(str, nodes)))
    return LoggedRun(folder, folder.parent.name)


def logged_runs(base: Path, dataflow: str | None = None) -> list[LoggedRun]:
    """List the runs below `base`, of one dataflow or of all, the newest first."""
    folders = [base / dataflow] if dataflow is not None else [base / name for name in _subfolders(base)]
    found = [folder / name for folder in folders for name in _subfolders(folder) if _NAME.fullmatch(name)]
    return [read_run(folder) for folder in sorted(found, key=lambda path: (path.name, str(path)), reverse=True)]


def find_run(base: Path, name: str | None) -> LoggedRun | None:
    """Find a run: by its folder, by the name of its dataflow (the newest), by its id or name, or the newest of all."""
    if name is None:
        return next(iter(logged_runs(base)), None)
    if "/" in name or name in (".", ".."):
        folder = Path(name)
        return read_run(folder.absolute()) if folder.is_dir() else None
    of_dataflow = logged_runs(base, name)
    if of_dataflow:
        return of_dataflow[0]
    meant = (run for run in logged_runs(base) if name in (run.name, run.folder.name) or _is_id(name, run.run))
    return next(meant, None)


def _is_id(name: str, run: str) -> bool:
    return len(name) >= _SHORT_ID and run.startswith(name)


def _subfolders(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []
