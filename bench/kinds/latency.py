"""One-way latency between two nodes: from a complete message to the return of the reader's receive call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.flow import CASE_WAYS, Vertex, flow
from bench.kinds.case import Case, Figure, Start, percentiles
from bench.running import Run, RunError

if TYPE_CHECKING:
    from bench.settings import Settings

WARM_UP = 20  # messages of each way that are not counted


def cases(settings: Settings) -> list[Case]:
    """One for each size."""
    return [Case("latency", size) for size in settings.sizes]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Send at a steady pace, copied and loaned. Raises RunError."""
    nodes = [Vertex("source", "pacer"), Vertex("sink", "clock", "source")]
    return paced(start, case, settings, nodes, ["sink"])


def paced(
    start: Start,
    case: Case,
    settings: Settings,
    nodes: list[Vertex],
    sinks: list[str],
    ways: tuple[str, ...] = CASE_WAYS,
) -> list[Figure]:
    """Run a flow whose first node sends at a steady pace, and take the latencies at its sinks. Raises RunError."""
    messages = settings.messages_of(case.size)
    made = flow(
        case.kind,
        nodes,
        sinks,
        case.size,
        messages=messages + WARM_UP,
        pace_us=settings.pace_us,
        ways=",".join(ways),
    )
    with start(made) as run:
        run.wait(settings.limit)
        taken = [_by_way(run, sink, messages + WARM_UP, len(ways)) for sink in sinks]
    return [
        figure
        for place, way in enumerate(ways)
        for figure in percentiles(way, [value for one in taken for value in one[place][WARM_UP:]])
    ]


def _by_way(run: Run, sink: str, messages: int, ways: int) -> list[list[int]]:
    taken: list[int] = run.result(sink)
    if len(taken) != messages * ways:
        raise RunError(f"`{sink}` got {len(taken)} of {messages * ways} messages")
    return [taken[place * messages : (place + 1) * messages] for place in range(ways)]
