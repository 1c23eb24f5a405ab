"""Processes of a run whose launcher was killed, found by their environment and ended.

Nodes die with their launcher, and their groups with the guardian; what has left its group, or outlived the guardian
too, is found here. Only processes of this user that carry the configuration of a node of that very run are touched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.warm.variables import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 5.0  # seconds
_PAUSE = 0.01


def end_leftovers(run: Path) -> None:
    """Kill every process that belongs to the run in directory `run`, and wait a moment for their ends."""
    deadline = time.monotonic() + _PATIENCE
    while (processes := tuple(_processes_of(run))) and time.monotonic() < deadline:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE)


def _processes_of(run: Path) -> Iterator[int]:
    mark = os.fsencode(f"{CONFIGURATION}={run}/")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        # Processes of others cannot be read, and any may end while we look.
        with contextlib.suppress(OSError):
            if any(item.startswith(mark) for item in (entry / "environ").read_bytes().split(b"\0")):
                yield int(entry.name)
