"""`--check-health`: whether a launcher of this bundle is well, asked over its control socket and told by the exit code.

For whoever supervises launchers: container engines and scripts. Every wait has an end, and nothing of a run is changed.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from doraflow_runtime.control.places import base_directory
from doraflow_runtime.control.registry import find_runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow_runtime.control.messages import Status

Level: TypeAlias = Literal["startup", "live", "ready"]
"""`startup`: every node has joined. `live`: the launcher answers. `ready`: every node runs, or has ended well."""

LEVELS: tuple[Level, ...] = get_args(Level)
DEFAULT_TIMEOUT = 5.0

_WELL = ("running", "ended", "absent")
"""States of nodes that are as they should be in a run that has started; a dynamic node may come when it likes."""


def check_health(
    bundle: Path, host: str, level: Level, timeout: float, environment: Mapping[str, str] = os.environ
) -> tuple[bool, str]:
    """Tell whether every living run of a host's part of the bundle is well, and why, within `timeout` seconds."""
    # Launchers that check nothing read this module too, for its levels.
    from doraflow_runtime.control.client import Client, ControlError
    from doraflow_runtime.control.messages import AskStatus, Status

    deadline = time.monotonic() + timeout
    place = str(bundle.absolute())
    runs = [run for run in find_runs(base_directory(environment)) if run.facts.bundle == place]
    living = [run for run in runs if run.is_alive and run.facts.host == host]
    if not living:
        return False, f"no launcher of this bundle runs on {host}"
    for run in living:
        try:
            with Client(run.directory, max(0.0, deadline - time.monotonic())) as client:
                status = client.ask(AskStatus())
        except ControlError as error:
            return False, str(error)
        if reason := _unwell(status, level) if isinstance(status, Status) else "it gave another answer":
            return False, f"`{run.name}`: {reason}"
    return True, ", ".join(f"`{run.name}` is {_ADJECTIVES[level]}" for run in living)


_ADJECTIVES: Mapping[Level, str] = {"startup": "started", "live": "alive", "ready": "ready"}


def _unwell(status: Status, level: Level) -> str:
    """Say what is missing; empty if nothing is."""
    if level == "live" or (level == "startup" and status.state == "stopping"):
        return ""
    if status.state != "running":
        return f"it is {status.state}"
    if level == "startup":
        return ""
    unwell = [f"`{node.node}` is {node.state}" for node in status.nodes if node.state not in _WELL]
    return ", ".join(unwell)
