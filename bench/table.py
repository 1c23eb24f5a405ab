"""The results on a terminal: one table for each kind of measurement.

Nothing here measures or writes a file.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from rich.table import Table

from bench.results import OURS, Results, Row
from bench.targets import HEAD, Target, judge
from bench.words import columns, figure, missing, what

if TYPE_CHECKING:
    from rich.console import Console


def show(results: Results, console: Console, targets: tuple[Target, ...]) -> None:
    """Print medians, and for the peers how many times doraflow's they are, and the spread."""
    for kind in dict.fromkeys(row.kind for row in results.rows):
        console.print(_table(results, kind))
    for peer, reason in results.absent.items():
        console.print(f"[bold]{peer}[/] is absent: {reason}", highlight=False)
    for failure in results.failures:
        of = what((failure.kind, failure.size, failure.nodes))
        place = f"{failure.peer}, {failure.kind}, {of}, round {failure.round}"
        console.print(place, failure.short, sep=": ", markup=False, highlight=False)
    console.print(_targets(results, targets))


def _table(results: Results, kind: str) -> Table:
    rows = [row for row in results.rows if row.kind == kind]
    table = Table(title=kind, title_justify="left")
    table.add_column("of")
    table.add_column("sent")
    table.add_column("figure")
    names = columns(results, kind)
    for name in names:
        table.add_column(name, justify="right")
    for key in sorted(dict.fromkeys(row.key for row in rows), key=lambda key: key[:3]):
        found = {row.peer: row for row in rows if row.key == key}
        unit = next(iter(found.values())).unit
        cells = [_cell(results, found[name]) if name in found else missing(results, name, key) for name in names]
        table.add_row(what(key), key[3], f"{key[4]} {unit}", *cells)
    return table


def _cell(results: Results, row: Row) -> str:
    ratio = results.ratio(row)
    return figure(row) if ratio is None or row.peer == OURS else f"{figure(row)} x{ratio:.2g}"


def _targets(results: Results, targets: tuple[Target, ...]) -> Table:
    table = Table(title="targets", title_justify="left")
    for name in HEAD:
        table.add_column(name)
    for judged in filter(operator.attrgetter("ratios"), judge(results, targets)):
        table.add_row(*judged.cells())
    return table
