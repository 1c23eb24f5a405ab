"""Where the logs of runs lie, and which run is meant.

A run is found by its folder alone, so one that has ended is found like one that goes on. What its files say is read
elsewhere.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN_FILE = "run.json"
_NAME = re.compile(r"\d{8}T\d{6}Z-\d+")
_LOG = re.compile(r"(?P<node>.+)\.jsonl(?:\.\d+)?")
_SHORT_ID = 8
_NAME_LENGTH = 32
"""How much of a dataflow's name stands in that of its runs, as `run_directory` of the launcher has it."""


def is_log_name(name: str) -> bool:
    """Tell whether a file is called as the log of a node is, and lies in the folder itself.

    >>> is_log_name("camera.jsonl.2"), is_log_name("../camera.jsonl"), is_log_name("/tmp/x.jsonl")
    (True, False, False)
    """
    return _LOG.fullmatch(name) is not None and "/" not in name and "\0" not in name


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A folder of logs: `run` is the run's id, `began` when it did, `nodes` are all of its dataflow, in their order.

    `given_name` is the name that the run was given, empty where it has the launcher's own. `copies` are folders with
    what other hosts of the run have written; `is_elsewhere` tells that only these are meant.
    """

    folder: Path
    dataflow: str
    run: str = ""
    began: str = ""
    nodes: tuple[str, ...] = ()
    given_name: str = ""
    copies: tuple[Path, ...] = ()
    is_elsewhere: bool = False

    @property
    def name(self) -> str:
        """The name under which the launcher told of the run."""
        made = f"{self.dataflow[:_NAME_LENGTH]}-{self.run[:_SHORT_ID]}" if self.run else self.folder.name
        return self.given_name or made

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
        for folder in (*(() if self.is_elsewhere else (self.folder,)), *self.copies):
            for entry in os.scandir(folder):
                log = _LOG.fullmatch(entry.name)
                if log:
                    found[unquote(log["node"])] = folder / f"{log['node']}.jsonl"
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
            return LoggedRun(folder, dataflow, run, began, tuple(map(str, nodes)), str(said.get("name") or ""))
    return LoggedRun(folder, folder.parent.name)


def logged_runs(base: Path, dataflow: str | None = None) -> list[LoggedRun]:
    """List the runs below `base`, of one dataflow or of all, the newest first."""
    folders = [base / dataflow] if dataflow is not None else [base / name for name in _subfolders(base)]
    found = [folder / name for folder in folders for name in _subfolders(folder) if _NAME.fullmatch(name)]
    return [read_run(folder) for folder in sorted(found, key=lambda path: (path.name, str(path)), reverse=True)]


def find_run(base: Path, name: str | None, elsewhere: Sequence[Path] = ()) -> LoggedRun | None:
    """Find a run: by its folder, its name or that of its dataflow (the newest of each), its id, or the newest of all.

    `elsewhere` are folders of logs that do not lie below `base`, such as those of runs that go on.
    """
    if name is not None and ("/" in name or name in (".", "..")):
        folder = Path(name)
        return read_run(folder.absolute()) if folder.is_dir() else None
    runs = known_runs(base, elsewhere)
    if name is None:
        return next(iter(runs), None)
    living = (run for run in runs if name == run.name and run.goes_on())
    called = (run for run in runs if name in (run.name, run.dataflow, run.folder.name))
    meant = (run for run in runs if _is_id(name, run.run))
    return next(itertools.chain(living, called, meant), None)


def known_runs(base: Path, elsewhere: Sequence[Path] = ()) -> list[LoggedRun]:
    """List the runs below `base` and those whose logs lie elsewhere, the newest first."""
    below = logged_runs(base)
    folders = {run.folder for run in below}
    others = [read_run(folder) for folder in elsewhere if folder not in folders and folder.is_dir()]
    return sorted([*others, *below], key=lambda run: run.began, reverse=True) if others else below


def _is_id(name: str, run: str) -> bool:
    return len(name) >= _SHORT_ID and run.startswith(name)


def _subfolders(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []
