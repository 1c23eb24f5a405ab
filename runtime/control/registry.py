"""The runs of this user, found by name: which are alive, and which one a name means.

It reads directories and locks. Nothing is asked of a run here, and nothing of it is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.control.places import SOCKET, RunFacts, is_held, read_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PATIENCE = 2.0
"""Seconds to wait for the lock of the base: a launcher that sweeps after a crash holds it for longer than usual."""
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run and its directory; `is_alive` says that its launcher holds its lock."""

    directory: Path
    facts: RunFacts
    is_alive: bool

    @property
    def name(self) -> str:
        """The name under which the run is found."""
        return self.facts.name

    @property
    def has_socket(self) -> bool:
        """Whether the run can be asked; a launcher without pyzmq has no socket."""
        return (self.directory / SOCKET).exists()


def find_runs(base: Path) -> tuple[FoundRun, ...]:
    """List the runs in `base`, oldest first, the dead ones too; a run that is half made is left out."""
    found: list[FoundRun] = []
    with contextlib.suppress(OSError), _locked(base):
        for path in sorted(base.iterdir()):
            with contextlib.suppress(OSError):  # one that is being removed, or that cannot be looked into
                status = path.lstat()
                facts = read_facts(path) if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() else None
                if facts is not None and facts.name == path.name:
                    found.append(FoundRun(path, facts, is_held(path)))
    return tuple(sorted(found, key=lambda run: (run.facts.started, run.name)))


def meant_by(name: str, runs: Sequence[FoundRun]) -> tuple[FoundRun, ...]:
    """Find the living runs that `name` may mean: the run of that name, else every run of the dataflow of that name.

    An empty name means every living run.
    """
    living = [run for run in runs if run.is_alive]
    if not name:
        return tuple(living)
    named = tuple(run for run in living if run.name == name)
    return named or tuple(run for run in living if run.facts.dataflow == name)


def is_alive(run: FoundRun) -> bool:
    """Tell whether a run that was found before is still alive."""
    with contextlib.suppress(OSError), _locked(run.directory.parent):
        return is_held(run.directory)
    return False


@contextlib.contextmanager
def _locked(base: Path) -> Iterator[None]:
    """Keep launchers from making runs for the moment; goes on without that after some seconds."""
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
            else:
                break
        yield
    finally:
        os.close(descriptor)
