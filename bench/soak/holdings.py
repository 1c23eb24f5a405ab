"""What processes hold at one moment: open files, memory, and what lies in shared memory; and by how much it may grow.

Read from /proc, so nothing in the processes takes part in it. Nothing here kills or starts anything.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOOKS = 10
PAUSE = 0.1
"""Seconds between looks. What is held for a moment (a message that is being read) is not in the least of them."""

MORE_FILES = 8
MORE_MEMORY = 16 << 20
MORE_SHARED = 8 << 20
"""Bounds of growth over a whole soak: files and bytes of each process, bytes of the run's files in shared memory.

A reader may keep `MOST_KEPT` payloads, each in the memory of another life of its sender: that many files. Half a
kilobyte lost by each of a thousand restarts would not be told by the memory's bound alone, so the figures are printed.
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What one process holds: open files, and resident bytes that are its own or shared with others."""

    files: int
    memory: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the processes that live through the soak hold, by name, and the files of the run with their bytes."""

    processes: Mapping[str, Held]
    entries: int
    shared: int


def holdings(processes: Mapping[str, int], base: Path) -> Holdings:
    """Look several times at processes, given by name, and at the run's files in `base`; take the least of each."""
    looks = []
    for _ in range(LOOKS):
        looks.append(({name: _held(number) for name, number in processes.items()}, *_files(base)))
        time.sleep(PAUSE)
    least = {
        name: Held(min(look[name].files for look, *_ in looks), min(look[name].memory for look, *_ in looks))
        for name in processes
    }
    return Holdings(least, min(entries for _, entries, _ in looks), min(shared for *_, shared in looks))


def growth(before: Holdings, after: Holdings) -> Iterator[str]:
    """Tell what has grown beyond its bound."""
    for name, held in after.processes.items():
        earlier = before.processes[name]
        if held.files > earlier.files + MORE_FILES:
            yield f"{name} has {held.files} files open, {earlier.files} before: more than {MORE_FILES} more"
        if held.memory > earlier.memory + MORE_MEMORY:
            before_that = f"{_mebi(earlier.memory)} before"
            yield f"{name} holds {_mebi(held.memory)}, {before_that}: more than {_mebi(MORE_MEMORY)} more"
    if after.entries > before.entries:
        yield f"the run has {after.entries} files in shared memory, {before.entries} before"
    if after.shared > before.shared + MORE_SHARED:
        yield f"the run's files hold {_mebi(after.shared)}, {_mebi(before.shared)} before"


def compared(before: Holdings, after: Holdings) -> Iterator[str]:
    """Lay out both, a line for each process and one for the run's files."""
    for name, held in after.processes.items():
        earlier = before.processes[name]
        files = f"{earlier.files} -> {held.files} open files"
        yield f"{name}: {files}, {earlier.memory >> 10} -> {held.memory >> 10} KiB of memory"
    files = f"{before.entries} -> {after.entries} files in shared memory"
    yield f"run: {files}, {before.shared >> 10} -> {after.shared >> 10} KiB in them"


def _held(number: int) -> Held:
    proc = Path(f"/proc/{number}")
    pages = int((proc / "statm").read_text().split()[1])
    return Held(len(list((proc / "fd").iterdir())), pages * os.sysconf("SC_PAGE_SIZE"))


def _files(base: Path) -> tuple[int, int]:
    entries = shared = 0
    for path in base.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            shared += path.lstat().st_blocks * 512
            entries += 1
    return entries, shared


def _mebi(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
