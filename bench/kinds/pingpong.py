"""Ping-pong: round trips between two nodes without a pause; the answer is sent as a relay sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.flow import CASE_WAYS, Vertex, flow
from bench.kinds.case import Case, Figure, percentiles

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings

SIZES = (8, 4096, 4_194_304)
MESSAGES = 2000
WARM_UP = 3


def cases(settings: Settings) -> list[Case]:
    """Small payloads and a large one."""
    return [Case("pingpong", size) for size in settings.choose(SIZES)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Play, copied and loaned by the first node. Raises RunError."""
    nodes = [Vertex("source", "ping", "sink"), Vertex("sink", "relay", "source")]
    made = flow(case.kind, nodes, ["sink"], case.size, messages=MESSAGES, flood_ms=settings.flood_ms)
    with start(made) as run:
        run.wait(settings.limit)
        taken = run.result("source")
    return [
        figure for way, values in zip(CASE_WAYS, taken, strict=True) for figure in percentiles(way, values[WARM_UP:])
    ]
