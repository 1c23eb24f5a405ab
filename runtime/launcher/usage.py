"""What the processes of a node use: processor time and memory, as the kernel counts them in /proc.

A process that ends while it is looked at counts as nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_MOST_PROCESSES = 256
"""Processes of one node that are looked at; one that forks without end must not hold the launcher up."""


class Usage(NamedTuple):
    """Processor time in milliseconds, user and system together, and resident memory in bytes."""

    cpu_ms: int = 0
    memory: int = 0


def usage_of(process: int) -> Usage:
    """Add up what a process and all that it has started use, children that have ended included."""
    ticks, pages = 0, 0
    waiting, seen = [process], 0
    while waiting and seen < _MOST_PROCESSES:
        number = waiting.pop()
        seen += 1
        try:
            folder = Path("/proc", str(number))
            # The name in brackets may hold anything; the fields are counted from behind it.
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            pages += int((folder / "statm").read_bytes().split()[1])
            for task in (folder / "task").iterdir():
                waiting += map(int, (task / "children").read_bytes().split())
        except (OSError, ValueError, IndexError):
            continue
    return Usage(ticks * 1000 // os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))
