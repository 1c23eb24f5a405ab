"""The results on a terminal: one table for each kind of measurement.

Nothing here measures or writes a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.results import OURS, Results, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


def show(results: Results, console: Console) -> None:
    """Print medians, and for the peers how many times doraflow's they are, and the spread."""
    for kind in dict.fromkeys(row.kind for row in results.rows):
        console.print(_table(results, kind))
    for peer, reason in results.absent.items():
        console.print(f"[bold]{peer}[/] is absent: {reason}", highlight=False)
    for failure in results.failures:
        of = what((failure.kind, failure.size, failure.nodes))
        place = f"{failure.peer}, {failure.kind}, {of}, round {failure.round}"
        console.print(place, failure.reason.splitlines()[0].rstrip(":"), sep=": ", markup=False, highlight=False)


def _table(results: Results, kind: str) -> Table:
    rows = [row for row in results.rows if row.kind == kind]
    table = Table(title=kind, title_justify="left")
    table.add_column("of")
    table.add_column("sent")
    table.add_column("figure")
    names = [peer for peer in results.peers() if any(row.peer == peer for row in rows)]
    for name in names:
        table.add_column(name, justify="right")
    for key in sorted(dict.fromkeys(row.key for row in rows), key=lambda key: key[:3]):
        found = {row.peer: row for row in rows if row.key == key}
        unit = next(iter(found.values())).unit
        cells = [_cell(results, found[name]) if name in found else "-" for name in names]
        table.add_row(what(key), key[3], f"{key[4]} {unit}", *cells)
    return table


def _cell(results: Results, row: Row) -> str:
    ratio = results.ratio(row)
    told = number(row.median) if len(row.rounds) == 1 else f"{number(row.median)} ({spread(row)})"
    return told if ratio is None or row.peer == OURS else f"{told} x{ratio:.2g}"


def spread(row: Row) -> str:
    """Write the least and the greatest of the rounds."""
    return f"{number(min(row.rounds))}-{number(max(row.rounds))}"


def what(key: Sequence[object]) -> str:
    """Say of what a row is: a payload size, or a number of nodes.

    >>> what(("latency", 4096, 0)), what(("many", 0, 20))
    ('4 KB', '20 nodes')
    """
    return size(int(str(key[1]))) if key[1] else f"{key[2]} nodes"


def number(value: float) -> str:
    """Write a figure with about three digits.

    >>> number(1234567.0), number(12.345), number(0.1234), number(0.0)
    ('1,234,567', '12.3', '0.123', '0')
    """
    if not value:
        return "0"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def size(count: int) -> str:
    """Write a size in bytes.

    >>> size(8), size(40960), size(41943040)
    ('8 B', '40 KB', '40 MB')
    """
    for unit, step in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count} B"
