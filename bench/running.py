"""Starting a flow's processes, waiting for them, and leaving nothing behind: no process, no file, no shared memory.

Every process of a run inherits a token in its environment, by which all of them are found, also those that a peer
started in a session of their own. Nothing here knows a peer.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.nodes.board import Board

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.flow import Flow
    from bench.kinds.case import Figure

TOKEN = "BENCH_TOKEN"
END = 5.0  # seconds that processes get to end after a run has failed
SHM = Path("/dev/shm")
TOLD = 2000  # characters of a failed run's output


class RunError(Exception):
    """A run that failed; the text says why, and `figures` are those that it gave all the same."""

    def __init__(self, reason: str, figures: Sequence[Figure] = ()) -> None:
        super().__init__(reason)
        self.figures = tuple(figures)


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Run:
    """A flow whose processes have been started."""

    def __init__(self, flow: Flow, folder: Path, token: str) -> None:
        self.flow = flow
        self.folder = folder
        self.board = Board(folder / "board", len(flow.nodes))
        self.began_ns = 0
        self._token = token
        self._children: list[subprocess.Popen[bytes]] = []
        self._ends: list[int] = []  # a descriptor for each child, readable when it has ended

    def start(self, commands: Sequence[Command], environment: Mapping[str, str]) -> None:
        """Start the processes in sessions of their own, without waiting."""
        own = {**environment, TOKEN: self._token, "BENCH_FOLDER": str(self.folder), "TMPDIR": str(self.folder)}
        with (self.folder / "output").open("ab") as output:
            self.began_ns = time.monotonic_ns()
            for command in commands:
                child = subprocess.Popen(
                    command.arguments,
                    cwd=self.folder,
                    env={**own, **command.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                self._children.append(child)
                self._ends.append(os.pidfd_open(child.pid))

    def wait(self, seconds: float) -> float:
        """Wait until all processes have ended well; seconds since the start. Raises RunError once one has failed."""
        limit = time.monotonic() + seconds
        left = set(self._ends)
        while left:
            ready, _, _ = select.select(left, (), (), max(0.0, limit - time.monotonic()))
            if not ready:
                raise RunError(f"had not ended after {seconds:.0f} s{self._told()}")
            left.difference_update(ready)
            self._fail_early()
        return (time.monotonic_ns() - self.began_ns) / 1e9

    def _fail_early(self) -> None:
        for child in self._children:
            if child.poll():
                raise RunError(f"ended with exit code {child.returncode}{self._told()}")

    def wait_for_sinks(self, cell: int, seconds: float) -> None:
        """Wait until a cell of every node but the first is set. Raises RunError."""
        limit = time.monotonic() + seconds
        while not all(self.board.column(cell)[1:]):
            self._fail_early()
            if time.monotonic() > limit:
                there = sum(map(bool, self.board.column(cell)[1:]))
                raise RunError(f"only {there} of {self.board.nodes - 1} nodes had got a message after {seconds:.0f} s")
            time.sleep(0.002)

    def result(self, node: str) -> Any:
        """Read what a node has measured. Raises RunError."""
        try:
            return json.loads((self.folder / f"{node}.json").read_text())
        except FileNotFoundError:
            raise RunError(f"`{node}` has measured nothing{self._told()}") from None

    def processes(self) -> list[int]:
        """All living processes of the run."""
        return _marked(self._token)

    def end(self) -> None:
        """End what is left, and take the run's folder away."""
        for number, limit in ((signal.SIGTERM, END), (signal.SIGKILL, END)):
            deadline = time.monotonic() + limit
            left = self.processes()
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)
            while self._left() and time.monotonic() < deadline:
                time.sleep(0.02)
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(END)
        for descriptor in self._ends:
            os.close(descriptor)
        self._ends.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _left(self) -> list[int]:
        for child in self._children:
            child.poll()
        return self.processes()

    def _told(self) -> str:
        """The last line of what the processes have written, and more of it below."""
        text = (self.folder / "output").read_text(errors="replace").strip()
        return f": {text.splitlines()[-1].strip()}\n{text[-TOLD:]}" if text else ""


@contextlib.contextmanager
def run(flow: Flow) -> Iterator[Run]:
    """Make a folder for a run, and end and remove everything of the run at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dfb-"))
    (folder / "flow.json").write_text(flow.text())
    Board.create(folder / "board", len(flow.nodes))
    os.mkfifo(folder / "gate")
    running = Run(flow, folder, secrets.token_hex(8))
    before = _shared_memory(folder.name)
    try:
        yield running
    finally:
        running.end()
        _remove_orphans(_shared_memory(folder.name) - before)


def _marked(token: str) -> list[int]:
    """All living processes that have the token in their environment."""
    found = []
    mark = f"{TOKEN}={token}".encode()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _shared_memory(name: str) -> set[Path]:
    """The objects in shared memory that carry the run's name, and zenoh's, which cannot be given one."""
    return {*SHM.glob(f"*{name}*"), *SHM.glob("*.zenoh")}


def _remove_orphans(paths: set[Path]) -> None:
    """Remove objects that came during a run and that no living process has mapped or open."""
    if not paths:
        return
    used = b""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal():
                used += (entry / "maps").read_bytes()
    for path in paths:
        if str(path).encode() not in used:
            path.unlink(missing_ok=True)
