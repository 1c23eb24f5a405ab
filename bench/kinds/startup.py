"""Start-up: from the start of the first process to the first message, and to the end of all processes.

doraflow's bundle is built before the clock runs. zmq, zenoh and iceoryx2 have no launcher: their figures are those of
bare Python processes, with nothing that supervises them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.flow import Vertex, flow
from bench.kinds.case import Case, Figure
from bench.nodes.board import FIRST

if TYPE_CHECKING:
    from bench.flow import Flow
    from bench.kinds.case import Start
    from bench.settings import Settings


def cases(settings: Settings) -> list[Case]:
    """Two nodes."""
    del settings
    return [Case("startup", nodes=2)]


def measure(start: Start, case: Case, settings: Settings) -> list[Figure]:
    """Start one source and its readers, and end when all have got a message. Raises RunError."""
    made = greeting(case)
    with start(made) as run:
        run.wait_for_sinks(FIRST, settings.limit)
        ready = (max(run.board.column(FIRST)) - run.began_ns) / 1e9
        ended = run.wait(settings.limit)
    return [Figure("", "ready", "s", ready), Figure("", "ended", "s", ended)]


def greeting(case: Case, waits: int = 0) -> Flow:
    """One source and its readers; with `waits` they end only when told to."""
    sinks = [f"sink_{number}" for number in range(1, case.nodes)]
    nodes = [Vertex("source", "greeter"), *(Vertex(sink, "listener", "source") for sink in sinks)]
    return flow(case.kind, nodes, sinks, waits=waits)
