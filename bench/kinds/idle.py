"""The processor time that waiting nodes take, with everything that the peer runs beside them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.kinds.case import Case, Figure
from bench.kinds.waiting import waiting

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings


def cases(settings: Settings) -> list[Case]:
    """One number of nodes."""
    return [Case("idle", nodes=settings.waiting)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Take the share of one core. Raises RunError."""
    with waiting(start, case, settings) as run:
        processes = run.processes()
        began, before = time.monotonic(), _on_processor(processes)
        time.sleep(settings.idle_seconds)
        taken = (_on_processor(processes) - before) / 1e9 / (time.monotonic() - began)
    return [Figure("", "CPU", "% of a core", 100 * taken)]


def _on_processor(processes: list[int]) -> int:
    """Sum the nanoseconds that all threads have run."""
    return sum(
        int(task.read_text().split()[0])
        for process in processes
        for task in Path(f"/proc/{process}/task").glob("*/schedstat")
    )
