"""The passes over a graph, in order: read this tuple to know what `doraflow check` checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.arguments import check_arguments
from doraflow.analysis.cycles import check_cycles
from doraflow.analysis.place import place
from doraflow.analysis.queues import check_queues
from doraflow.analysis.support import check_support
from doraflow.analysis.types import check_types
from doraflow.analysis.unused import check_unused

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph

PASSES: tuple[Callable[[Graph, Sink], Graph], ...] = (
    place,
    check_cycles,
    check_queues,
    check_arguments,
    check_unused,
    check_support,
)


def analyse(graph: Graph, library: TypeLibrary, sink: Sink) -> Graph:
    """Run the type check and all passes; each adds its findings to `sink` and returns the graph it leaves."""
    graph = check_types(graph, library, sink)
    for run in PASSES:
        graph = run(graph, sink)
    return graph
