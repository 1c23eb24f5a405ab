"""`doraflow plan`: where each node runs and why, what travels between machines, what each holds."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from doraflow.cli.arguments import File, Frozen, Inventory, Locked, Profile
from doraflow.cli.outputs import Output, OutputOption, show

if TYPE_CHECKING:
    from rich.table import Table

    from doraflow.analysis.placement.summary import Summary

_MOVES = "DF893"
"""The one finding that a plan tells when there are no errors: a pinned node is somewhere else."""


def plan(
    file: File,
    output: OutputOption = Output.TABLE,
    inventory: Inventory = None,
    profile: Profile = None,
    locked: Locked = False,
    frozen: Frozen = False,
) -> None:
    """Show on which machine each node runs and why, what travels between machines, and what messages take on each.

    Nodes stay where the lock has them as long as they can; nothing is written.

    Example: doraflow plan dataflow.yml --inventory machines.yml
    """
    from doraflow.analysis.placement.summary import summarise
    from doraflow.cli.graph import checked_graph
    from doraflow.cli.locking import lock_use
    from doraflow.cli.report import write_findings
    from doraflow.pipeline import Options

    use = lock_use(locked=locked, frozen=frozen)
    options = Options(check_sources=False, inventory=inventory, profile=profile, lock=use)
    graph, made = checked_graph(file, options)
    summary = summarise(graph)
    write_findings([each for each in made.diagnostics() if each.code == _MOVES], made.all_texts())
    if output is Output.TABLE:
        _show(summary)
    else:
        show(output, [], dataclasses.asdict(summary))


def _show(summary: Summary) -> None:
    from rich.console import Console

    from doraflow.cli.report import has_colour

    # Beside a terminal nothing may be cut off: a table is then as wide as its rows.
    console = Console(no_color=not has_colour(sys.stdout), width=None if sys.stdout.isatty() else 1000, highlight=False)
    for table in (_nodes(summary), _links(summary), _hosts(summary)):
        console.print(table)
        console.print()
    if any(link.is_assumed for link in summary.links):
        console.print("~ a size or a pace is assumed: give outputs types of a fixed size, and timers")


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def _nodes(summary: Summary) -> Table:
    table = _table("node", "host", "why")
    for placed in summary.nodes:
        table.add_row(placed.node, placed.host, placed.reason)
    return table


def _links(summary: Summary) -> Table:
    from doraflow.analysis.placement.decide import rate

    table = _table("from", "to", "traffic", "outputs")
    for link in summary.links:
        sign = "~" if link.is_assumed else ""
        table.add_row(link.sender, link.receiver, f"{sign}{rate(link.bytes_per_second)}", ", ".join(link.outputs))
    if not summary.links:
        table.add_row("-", "-", "0 B/s", "no output is read on another machine")
    return table


def _hosts(summary: Summary) -> Table:
    from doraflow.analysis.placement.demand import size

    table = _table("host", "nodes", "pools", "queues", "not counted")
    for host in summary.hosts:
        pools, queues = size(host.pool_bytes), size(host.queue_bytes)
        table.add_row(host.host, str(len(host.nodes)), pools, queues, ", ".join(host.uncounted) or "-")
    return table
