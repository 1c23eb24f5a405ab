"""The columns of the screen's tables: what each is called, what it sorts by, and what stands in its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.operate.tables import Cell, node_cells, rate, size
from doraflow.operate.tables import latency as delay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.control.messages import NodeMetrics, PortMetrics

    from doraflow.operate.rows import NodeRow


@dataclass(frozen=True, slots=True)
class Column:
    """A column of nodes: its name in the settings, its title, and the field of a row that it sorts by."""

    name: str
    title: str
    field: str


COLUMNS = (
    Column("node", "NODE", "node"),
    Column("host", "HOST", "host"),
    Column("state", "STATE", "state"),
    Column("pid", "PID", "pid"),
    Column("uptime", "UPTIME", "uptime_seconds"),
    Column("restarts", "RESTARTS", "restarts"),
    Column("rate", "IN/S", "input_rate"),
    Column("p50", "P50", "p50_us"),
    Column("p99", "P99", "p99_us"),
    Column("drops", "DROPS", "drops"),
    Column("errors", "ERRORS", "errors"),
    Column("cpu", "CPU", "cpu_percent"),
    Column("memory", "MEMORY", "memory_bytes"),
)
"""All columns, in the order of `node_cells`."""

NAMES = tuple(column.name for column in COLUMNS)
PORT_TITLES = ("PORT", "", "MESSAGES", "MSG/S", "BYTES/S", "DROPS", "QUEUE", "P50", "P99")


def cells(row: NodeRow, names: Sequence[str]) -> list[Cell]:
    """Write the cells of a node for the columns that are wanted."""
    written = dict(zip(NAMES, node_cells(row), strict=True))
    return [written[name] for name in names]


def ordered(rows: Sequence[NodeRow], name: str, *, is_descending: bool) -> list[NodeRow]:
    """Sort rows by a column, those without a value last; an empty name keeps the order of the dataflow."""
    if not name:
        return list(rows)
    field = COLUMNS[NAMES.index(name)].field
    known = [row for row in rows if getattr(row, field) is not None]
    unknown = [row for row in rows if getattr(row, field) is None]
    return [*sorted(known, key=lambda row: getattr(row, field), reverse=is_descending), *unknown]


def filtered(rows: Sequence[NodeRow], text: str) -> list[NodeRow]:
    """Keep the rows whose node, host or state holds a text, in any case."""
    wanted = text.casefold()
    return [row for row in rows if any(wanted in held.casefold() for held in (row.node, row.host, row.state))]


def port_cells(metrics: NodeMetrics | None) -> list[list[Cell]]:
    """Write the cells of a node's ports, inputs first."""
    if metrics is None:
        return []
    inputs = [_port(port, "in") for port in metrics.inputs]
    return [*inputs, *(_port(port, "out") for port in metrics.outputs)]


def _port(port: PortMetrics, side: str) -> list[Cell]:
    is_input = side == "in"
    texts = (
        f"{port.messages:,}",
        rate(port.rate / 1000),
        size(port.bandwidth),
        str(port.dropped),
        str(port.queued) if is_input else None,
        delay(port.p50_us),
        delay(port.p99_us),
    )
    return [Cell(port.port, "bold"), Cell(side, "dim"), *(Cell(text or "-", "", is_number=True) for text in texts)]
