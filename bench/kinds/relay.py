"""A relay: five hops in a row, from the first node's message to the last node's event.

The four nodes between send on what they have received in the way that is their peer's fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.flow import Vertex
from bench.kinds.case import Case, Figure
from bench.kinds.latency import paced

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings

SIZES = (4096, 4_194_304)
HOPS = 5


def cases(settings: Settings) -> list[Case]:
    """A small and a large payload."""
    return [Case("relay", size) for size in settings.choose(SIZES)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Send at a steady pace, copied and loaned by the first node. Raises RunError."""
    names = ["source", *(f"relay_{number}" for number in range(1, HOPS)), "sink"]
    roles = ["pacer", *["relay"] * (HOPS - 1), "clock"]
    before = [None, *names]
    nodes = [Vertex(name, role, reads) for name, role, reads in zip(names, roles, before[:-1], strict=True)]
    return paced(start, case, settings, nodes, ["sink"])
