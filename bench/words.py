"""How figures, sizes and cases are written, on a terminal and on a page alike.

Nothing here lays out a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Results, Row


def columns(results: Results, kind: str) -> list[str]:
    """The peers that were asked for a kind, also those that failed in all of it."""
    asked = {row.peer for row in results.rows if row.kind == kind}
    asked |= {failure.peer for failure in results.failures if failure.kind == kind}
    return [peer for peer in results.versions if peer in asked]


def missing(results: Results, peer: str, key: Sequence[object]) -> str:
    """What stands where a peer has no figure: `failed`, or nothing if it was not asked for one."""
    return "failed" if results.failed(peer, str(key[0]), int(str(key[1])), int(str(key[2]))) else "-"


def figure(row: Row) -> str:
    """Write the median, the spread if there were several rounds, and how many rounds gave none."""
    told = number(row.median)
    return f"{told} ({spread(row)})" if len(row.rounds) > 1 else told


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
