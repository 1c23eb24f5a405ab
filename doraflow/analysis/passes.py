"""The passes over a graph, in order: read `analyse` to know what `doraflow check` checks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from doraflow.analysis.affinity import check_affinity
from doraflow.analysis.between_hosts import check_ports
from doraflow.analysis.blocking import check_blocking
from doraflow.analysis.budget import check_budget
from doraflow.analysis.build_commands import check_build_commands
from doraflow.analysis.cycles import check_cycles
from doraflow.analysis.fan import check_fan
from doraflow.analysis.logs import check_logs
from doraflow.analysis.module_bounds import check_module_bounds
from doraflow.analysis.pace import check_pace
from doraflow.analysis.place import place
from doraflow.analysis.queues import check_queues
from doraflow.analysis.reach import check_reach
from doraflow.analysis.shared_text import told_once
from doraflow.analysis.support import check_support
from doraflow.analysis.types import check_types
from doraflow.analysis.unused import check_unused

if TYPE_CHECKING:
    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


def analyse(graph: Graph, library: TypeLibrary, sink: Sink) -> Graph:
    """Run all passes; each takes the graph and a sink, adds what it finds, and returns the graph it leaves.

    A flood of errors ends them: the graph is as the last one left it.
    """
    passes = (
        partial(check_types, library=library),
        place,
        check_module_bounds,
        check_cycles,
        check_reach,
        check_blocking,
        check_queues,
        check_logs,
        check_pace,
        check_fan,
        check_affinity,
        check_budget,
        check_ports,
        check_unused,
        check_build_commands,
        check_support,
    )
    with told_once(sink) as found:
        for run in passes:
            if found.is_flooded:
                break
            graph = run(graph, sink=found)
    return graph
