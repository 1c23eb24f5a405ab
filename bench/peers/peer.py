"""What the benchmark needs of a peer, and what several peers share.

Nothing here knows one of them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bench.running import Command, Run, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.flow import Flow

BENCH = Path(__file__).resolve().parents[1]
NODES = BENCH / "nodes"
SHARED = ("roles.py", "seat.py", "board.py")
OFF_LIMITS = ("DORA_", "PYTHON", "BENCH_", "ZENOH_", "IOX2_")


class AbsentError(Exception):
    """A peer that cannot be measured on this machine; the text says why."""


class Peer(Protocol):
    """A peer. `configured` is one sentence or several on how it is set up, for the page of the figures."""

    name: str
    configured: str

    def prepare(self) -> str:
        """Install what is needed and give the version. Raises AbsentError."""

    def refuses(self, kind: str) -> str | None:
        """Say why a kind of measurement does not apply; None if it does."""

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Write what the flow needs into its folder, and say what to start."""

    def environment(self) -> Mapping[str, str]:
        """The environment of its processes beside the machine's own."""


def cache() -> Path:
    """The folder for what is worth keeping between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "doraflow")


@contextlib.contextmanager
def start(peer: Peer, flow: Flow) -> Iterator[Run]:
    """Run a flow with a peer."""
    with run(flow) as running:
        commands = peer.commands(flow, running.folder)
        clean = {name: text for name, text in os.environ.items() if not name.startswith(OFF_LIMITS)}
        running.start(commands, {**clean, **peer.environment()})
        yield running


class Workshop:
    """The virtual environment of the peers, made on demand and kept in the user's cache."""

    def __init__(self) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self.folder = cache() / f"bench-peers-{version}"
        self.python = self.folder / "bin" / "python"

    def install(self, *requirements: str) -> None:
        """Install packages. Raises AbsentError."""
        marks = [self.folder / f"installed-{requirement}" for requirement in requirements]
        if all(mark.exists() for mark in marks):
            return
        try:
            if not self.python.exists():
                subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True, capture_output=True)
            command = [str(self.python), "-m", "pip", "install", "--quiet", *requirements]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
            told = str(getattr(error, "stderr", "") or error).strip().splitlines()
            raise AbsentError(f"pip cannot install {' '.join(requirements)}: {told[-1]}") from error
        for mark in marks:
            mark.touch()

    @staticmethod
    def same(package: str) -> str:
        """A requirement for the version that doraflow runs with."""
        return f"{package}=={importlib.metadata.version(package)}"


class Direct:
    """A peer without a launcher of its own: the benchmark starts each node's process."""

    name = ""
    configured = ""
    script = ""
    requirements: tuple[str, ...] = ()

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    def prepare(self) -> str:
        """Install the packages."""
        self.workshop.install(*self.requirements)
        return ", ".join(self.requirements).replace("==", " ")

    def refuses(self, kind: str) -> str | None:
        """Take part in everything."""
        del kind
        return None

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Start each node, the readers first."""
        del folder
        arguments = (str(self.workshop.python), str(NODES / self.script))
        return [Command(arguments, {"BENCH_NODE": node.id}) for node in reversed(flow.nodes)]

    def environment(self) -> Mapping[str, str]:
        """Nothing of its own."""
        return {}
