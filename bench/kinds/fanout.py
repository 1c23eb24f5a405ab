"""Fan-out: one source, four readers of the same output; the latencies of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.flow import Vertex
from bench.kinds.case import Case, Figure
from bench.kinds.latency import paced

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings

SIZES = (4096, 4_194_304)
READERS = 4


def cases(settings: Settings) -> list[Case]:
    """A small and a large payload."""
    return [Case("fanout", size) for size in settings.choose(SIZES)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Send at a steady pace, copied and loaned. Raises RunError."""
    sinks = [f"sink_{number}" for number in range(1, READERS + 1)]
    nodes = [Vertex("source", "pacer"), *(Vertex(sink, "clock", "source") for sink in sinks)]
    return paced(start, case, settings, nodes, sinks)
