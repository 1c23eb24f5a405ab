"""Lossless throughput between two nodes, with each peer's own way of holding a fast sender back.

A peer that has none gets credit beside its data plane. Every message is counted and its place
compared: a lost, doubled or reordered one fails the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.flow import CASE_WAYS, Vertex, flow
from bench.kinds.case import Case, Figure
from bench.running import RunError

if TYPE_CHECKING:
    from bench.kinds.case import Start
    from bench.settings import Settings


def cases(settings: Settings) -> list[Case]:
    """One for each size."""
    return [Case("throughput", size) for size in settings.sizes]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Flood a reader for a while, copied and loaned. Raises RunError."""
    nodes = [Vertex("source", "flooder"), Vertex("sink", "counter", "source")]
    made = flow(case.kind, nodes, ["sink"], case.size, is_lossless=True, flood_ms=settings.flood_ms)
    with start(made) as run:
        run.wait(settings.limit)
        sent, got = run.result("source"), run.result("sink")
    return rates(sent, got)


def rates(sent: list[int], got: list[dict[str, Any]]) -> list[Figure]:
    """Judge the floods of each way. Raises RunError with the figures of those that lost nothing."""
    figures, faults = [], []
    for way, count, arrived in zip(CASE_WAYS, sent, got, strict=True):
        if arrived["received"] != count or arrived["wrong"]:
            told = f"{arrived['received']:,} of {count:,} messages arrived, {arrived['wrong']:,} not in their place"
            faults.append(f"{way}: {told}")
        elif not arrived["rate"]:
            faults.append(f"{way}: {count} messages are too few to take a rate")
        else:
            figures.append(Figure(way, "rate", "msg/s", arrived["rate"]))
    if faults:
        raise RunError("; ".join(faults), figures)
    return figures
