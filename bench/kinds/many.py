"""Start and stop of many nodes: one source, all others read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.kinds.case import Case, Figure
from bench.kinds.startup import measure as measure_startup

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings


def cases(settings: Settings) -> list[Case]:
    """One for each number of nodes."""
    return [Case("many", nodes=nodes) for nodes in settings.many]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Start all, and end when all have got a message. Raises RunError."""
    return measure_startup(start, case, settings)
