"""How a process that was started by hand finds its place in a run: the configuration of a dynamic node, by its id.

The run is the one that `DORAFLOW_RUN` names, or the only one that has such a node. Nothing is asked of the run here.
"""

from __future__ import annotations

import json
import math
import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.control.places import base_directory
from doraflow_runtime.control.registry import find_runs, meant_by
from doraflow_runtime.shm.connection import Folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.control.registry import FoundRun

RUN_VARIABLE = "DORAFLOW_RUN"
WAIT_VARIABLE = "DORAFLOW_JOIN_SECONDS"
_PAUSE = 0.1


def find_place(node_id: str, environment: Mapping[str, str] | None = None) -> Path:
    """Find the configuration of dynamic node `node_id`, waiting for its run as long as `DORAFLOW_JOIN_SECONDS` says.

    Raises RuntimeError, saying what to do, if there is none within that time, or if several runs have such a node.
    """
    environment = os.environ if environment is None else environment
    named, seconds = environment.get(RUN_VARIABLE, ""), _seconds(environment.get(WAIT_VARIABLE, ""))
    base, deadline = base_directory(environment), time.monotonic() + seconds
    while True:
        runs = meant_by(named, find_runs(base))
        places = [(run.name, place) for run in runs if (place := _place_in(run.directory, node_id)) is not None]
        if len(places) == 1:
            _require_free(node_id, places[0][1])
            return places[0][1]
        if places:
            raise RuntimeError(_several(node_id, [name for name, _ in places]))
        if time.monotonic() >= deadline:
            raise RuntimeError(_none(node_id, named, runs, seconds))
        time.sleep(_PAUSE)


def _require_free(node_id: str, place: Path) -> None:
    """Refuse a place where another process listens already."""
    folder = Folder(str(place.parents[1]))
    try:
        folder.connect(str(json.loads(place.read_bytes())["listen"]), _PAUSE).close()
    except (OSError, ValueError, KeyError):
        return  # nobody listens; what else is wrong is found by who reads the place
    finally:
        folder.close()
    raise RuntimeError(
        f"another process has joined as `{node_id}` already: end it first, or let this one be another node"
    )


def _place_in(directory: Path, node_id: str) -> Path | None:
    for path in sorted((directory / "nodes").glob("*.json")):
        try:
            node = json.loads(path.read_bytes()).get("node", {})
        except (OSError, ValueError):
            continue  # the run ends just now
        if node.get("id") == node_id and node.get("dynamic"):
            return path
    return None


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise RuntimeError(f"{WAIT_VARIABLE} is `{text}`, which is no number of seconds")
    return seconds


def _several(node_id: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"several runs have a dynamic node `{node_id}`: {listed}; set {RUN_VARIABLE} to the one that is meant"


def _none(node_id: str, named: str, runs: Sequence[FoundRun], seconds: float) -> str:
    waited = f" within {seconds:g} s" if seconds else ""
    mend = (
        f"start the dataflow first, with `path: dynamic` for `{node_id}`, or set {WAIT_VARIABLE} to wait for it; "
        "a node that is not dynamic is started by `doraflow run` or a bundle's launcher"
    )
    if runs:
        listed = ", ".join(f"`{run.name}`" for run in runs)
        return f"no run has a dynamic node `{node_id}`{waited}; there runs {listed}: {mend}"
    what = f"no run is named `{named}`" if named else "nothing runs"
    return f"this process is not part of a dataflow: {what}{waited}, so `{node_id}` has nothing to join: {mend}"
