"""The floor: a C program with a futex in shared memory, compiled here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.peers.peer import BENCH, NODES, AbsentError, Workshop
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.flow import Flow

KINDS = ("latency", "pingpong")


class Floor:
    """What the machine itself can do at best."""

    name = "floor"
    configured = "a C program of two processes, `-O2`."

    def __init__(self, workshop: Workshop) -> None:
        self._program = workshop.folder.parent / "bench-floor"

    def prepare(self) -> str:
        """Compile the program."""
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            raise AbsentError("no C compiler is installed")
        self._program.parent.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O2", "-o", str(self._program), str(BENCH / "floor" / "floor.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AbsentError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
        return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]

    def refuses(self, kind: str) -> str | None:
        """Take part only where two processes pass one message."""
        return None if kind in KINDS else "the floor is of two processes and one message"

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Start the program once for each way of sending."""
        del flow, folder
        return [Command((sys.executable, str(NODES / "floor_node.py"), str(self._program)))]

    def environment(self) -> Mapping[str, str]:
        """Nothing of its own."""
        return {}
