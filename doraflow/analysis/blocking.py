"""Loops in which every queue holds its sender back: once all are full, each node waits for the next.

A queue that drops keeps a loop going, so only loops of `backpressure` alone are told, each with how much it holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.analysis.cycles import drawn
from doraflow.analysis.topology import arcs_inside, by_process, loops, shortest_loop
from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.analysis.topology import Arc
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph

_LONGEST_DRAWING = 8
"""Edges of a loop that are drawn in one line; more are counted."""


def check_blocking(graph: Graph, sink: Sink) -> Graph:
    """Report loops of blocking queues; the graph is returned as it is."""
    sizes = {
        (node.id, port.id): port.queue_size
        for node in graph.nodes
        for port in node.inputs
        if port.queue_policy == "backpressure"
    }
    if not sizes:
        return graph
    topology = by_process(graph)
    arcs = tuple(arc for arc in topology.arcs if (arc.edge.consumer, arc.edge.input) in sizes)
    groups = loops(replace(topology, arcs=arcs))
    for members, inside in zip(groups, arcs_inside(groups, arcs), strict=True):
        path = shortest_loop(members, inside)
        _tell(path, [_size(arc, sizes) for arc in path], sink)
    return graph


def _size(arc: Arc, sizes: Mapping[tuple[str, str], int]) -> int:
    return sizes[arc.edge.consumer, arc.edge.input]


def _tell(path: Sequence[Arc], sizes: Sequence[int], sink: Sink) -> None:
    closing = path[-1]
    sink.warning(
        "DF402",
        f"every queue of the loop {drawn(path)} holds its sender back; once all are full, no node can go on",
        closing.edge.span,
        label=_holds(closing, sizes[-1]),
        related=[Label(arc.edge.span, _holds(arc, size)) for arc, size in zip(path[:-1], sizes, strict=False)],
        notes=[
            _picture(path, sizes),
            f"the loop has room for {sum(sizes)} messages: with so many under way, each node that sends waits for good",
        ],
        help="write `queue_policy: drop_oldest` at one of these inputs",
    )


def _holds(arc: Arc, size: int) -> str:
    return f"`{arc.end}` holds `{arc.start}` back here, with {size} {_messages(size)} waiting"


def _messages(count: int) -> str:
    return "message" if count == 1 else "messages"


def _picture(path: Sequence[Arc], sizes: Sequence[int]) -> str:
    """Draw the loop with what each edge may hold.

    A long loop is drawn from its first node to its eighth edge, and the rest is counted.
    """
    shown = [
        f"{arc.start} --({arc.edge.input}: {size}, backpressure)-->"
        for arc, size in zip(path[:_LONGEST_DRAWING], sizes, strict=False)
    ]
    rest = len(path) - len(shown)
    return " ".join([*shown, *([f"… {rest} more …"] if rest else []), path[0].start])
