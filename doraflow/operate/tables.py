"""Rows as a table for people: columns that line up, units that can be read, and a style for each cell.

Styles are named as rich names them; whoever prints leaves them out where there is no colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doraflow.operate.rows import HostRow, NodeRow, RunRow

Piece: TypeAlias = tuple[str, str]
"""Some text and its style."""

STATE_STYLES = {
    "running": "green",
    "starting": "blue",
    "ready": "blue",
    "restarting": "yellow",
    "paused": "yellow",
    "stopping": "yellow",
    "failed": "bold red",
    "stale": "yellow",
    "ended": "bright_black",
    "absent": "bright_black",
    "lost": "bold red",
    "strange": "bold red",
}
_GAP = "  "
_ONE_HOST = "local"
"""The host of a dataflow that names none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; numbers stand to the right."""

    text: str
    style: str = ""
    is_number: bool = False


def node_table(rows: Sequence[NodeRow], *, has_hosts: bool = False) -> list[Piece]:
    """Lay out the nodes of a run, with their hosts where there are several."""
    head = (
        *("NODE", "HOST", "STATE", "PID", "UPTIME", "RESTARTS", "IN/S", "P50", "P99"),
        *("DROPS", "ERRORS", "CPU", "MEMORY"),
    )
    shown = [at for at, title in enumerate(head) if has_hosts or title != "HOST"]
    cells = [node_cells(row) for row in rows]
    return _laid_out([head[at] for at in shown], [[line[at] for at in shown] for line in cells])


def host_table(rows: Sequence[HostRow]) -> list[Piece]:
    """Lay out the hosts of a run; the first is the one that was asked, whose clock is the measure of the others."""
    head = ("HOST", "STATE", "NODES", "LAUNCHER", "CLOCK", "HEARD", "LOGS")
    cells = [
        (
            Cell(row.host, "bold"),
            Cell(row.state, STATE_STYLES.get(row.state, "")),
            _number(row.nodes),
            _number(row.pid),
            _number(clock(row.clock_offset_us, row.clock_error_us) if at else "asked here"),
            _number(f"{duration(row.silent_seconds)} ago" if at and row.silent_seconds else None),
            Cell(row.logs or row.trouble or "-"),
        )
        for at, row in enumerate(rows)
    ]
    return _laid_out(head, cells)


def clock(offset: int | None, error: int | None) -> str | None:
    """Write by how much a clock is ahead, and by how much that may be wrong, both in microseconds.

    >>> clock(1_200, 300), clock(-40, 12), clock(None, None)
    ('+1.2ms ±300µs', '-40µs ±12µs', None)
    """
    if offset is None:
        return None
    return f"{'-' if offset < 0 else '+'}{latency(abs(offset))} ±{latency(error or 0)}"


def node_cells(row: NodeRow) -> tuple[Cell, ...]:
    """Write the cells of a node, in the order of the table's head."""
    return (
        Cell(row.node, "bold"),
        Cell(row.host),
        Cell(row.state, STATE_STYLES.get(row.state, "")),
        _number(row.pid),
        _number(duration(row.uptime_seconds)),
        Cell(str(row.restarts), "yellow" if row.restarts else "", is_number=True),
        _number(rate(row.input_rate)),
        _number(latency(row.p50_us)),
        _number(latency(row.p99_us)),
        Cell(_or_dash(row.drops), "yellow" if row.drops else "", is_number=True),
        Cell(_or_dash(row.errors), "bold red" if row.errors else "", is_number=True),
        _number(None if row.cpu_percent is None else f"{row.cpu_percent:.1f}%"),
        _number(size(row.memory_bytes)),
    )


def run_table(rows: Sequence[RunRow]) -> list[Piece]:
    """Lay out the runs of a user."""
    has_hosts = any(row.host != _ONE_HOST for row in rows)
    head = ("RUN", "DATAFLOW", *(("HOST",) if has_hosts else ()), "STATE", "PID", "NODES", "UPTIME", "LOGS")
    cells = [
        (
            Cell(row.run, "bold"),
            Cell(row.dataflow),
            *((Cell(row.host),) if has_hosts else ()),
            Cell(row.state, STATE_STYLES.get(row.state, "")),
            _number(row.pid),
            _number(row.nodes),
            _number(duration(row.uptime_seconds)),
            Cell(row.logs),
        )
        for row in rows
    ]
    return _laid_out(head, cells)


def duration(seconds: float | None) -> str | None:
    """Write a time in its two largest units.

    >>> duration(4.2), duration(75), duration(90_000)
    ('4.2s', '1m15s', '1d01h')
    """
    if seconds is None:
        return None
    if seconds < 60:
        return f"{seconds:.1f}s"
    for unit, smaller, length, part in (("m", "s", 60, 1), ("h", "m", 3600, 60), ("d", "h", 86400, 3600)):
        if seconds < length * (60 if unit == "m" else 24) or unit == "d":
            return f"{int(seconds // length)}{unit}{int(seconds % length // part):02d}{smaller}"
    return None


def rate(hertz: float | None) -> str | None:
    """Write a rate with three digits that matter.

    >>> rate(0.0), rate(30.02), rate(21_403.0)
    ('0', '30.0', '21,403')
    """
    if hertz is None:
        return None
    if hertz == 0:
        return "0"
    return f"{hertz:,.0f}" if hertz >= 100 else f"{hertz:.1f}" if hertz >= 10 else f"{hertz:.2f}"


def latency(microseconds: int | None) -> str | None:
    """Write a time between a message's sending and taking.

    >>> latency(240), latency(4_166), latency(2_500_000)
    ('240µs', '4.2ms', '2.5s')
    """
    if microseconds is None:
        return None
    if microseconds < 1000:
        return f"{microseconds}µs"
    return f"{microseconds / 1000:.1f}ms" if microseconds < 1_000_000 else f"{microseconds / 1_000_000:.1f}s"


def size(count: int | None) -> str | None:
    """Write a number of bytes.

    >>> size(512), size(39_157_760)
    ('512 B', '37.3 MiB')
    """
    if count is None:
        return None
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _number(value: str | float | None) -> Cell:
    return Cell(_or_dash(value), "", is_number=True)


def _or_dash(value: str | float | None) -> str:
    return "-" if value is None else str(value)


def _laid_out(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[Piece]:
    """Line columns up; nothing stands behind the last one, so that lines end where their text does."""
    numbers = [bool(rows) and rows[0][at].is_number for at in range(len(head))]
    titles = tuple(Cell(title, "dim", is_number) for title, is_number in zip(head, numbers, strict=True))
    lines = [titles, *rows]
    widths = [max(len(line[at].text) for line in lines) for at in range(len(head))]
    return [piece for line in lines for piece in _line(line, widths)]


def _line(line: Sequence[Cell], widths: Sequence[int]) -> Iterable[Piece]:
    for at, (cell, width) in enumerate(zip(line, widths, strict=True)):
        if at:
            yield _GAP, ""
        is_last = at == len(widths) - 1
        padding = " " * (width - len(cell.text))
        yield (padding if cell.is_number else ""), ""
        yield cell.text, cell.style
        yield ("" if cell.is_number or is_last else padding), ""
    yield "\n", ""
