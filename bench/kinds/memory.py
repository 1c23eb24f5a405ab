"""Memory: what a waiting node takes, and what all processes of the run take together.

PSS counts a page that several processes share once; the resident size counts it for each.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from bench.kinds.case import Case, Figure
from bench.kinds.waiting import waiting
from bench.nodes.board import PID

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings


def cases(settings: Settings) -> list[Case]:
    """One number of nodes."""
    return [Case("memory", nodes=settings.waiting)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Read the kernel's account of each process. Raises RunError."""
    with waiting(start, case, settings) as run:
        nodes = [_account(process) for process in run.board.column(PID)[1:]]
        whole = [_account(process)["Pss"] for process in run.processes()]
    return [
        Figure("", "RSS of a node", "MiB", statistics.median(one["Rss"] for one in nodes) / 1024),
        Figure("", "PSS of a node", "MiB", statistics.median(one["Pss"] for one in nodes) / 1024),
        Figure("", "PSS of all", "MiB", sum(whole) / 1024),
    ]


def _account(process: int) -> dict[str, int]:
    """Read the memory map's sums, in KiB."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    return {name.rstrip(":"): int(value) for name, value, *_ in map(str.split, lines)}
