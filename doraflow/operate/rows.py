"""What `status` and `list` tell, as rows for scripts; the keys are stable and docs/operating.md names them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow_runtime.control.messages import Metrics, NodeMetrics, NodeState, Status
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.operate.fleet import HostView

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node in `status`, and the host it runs on; None stands for what is not known."""

    node: str
    host: str
    state: str
    pid: int | None
    uptime_seconds: float | None
    restarts: int
    last_exit: int | None
    input_rate: float | None
    p50_us: int | None
    p99_us: int | None
    drops: int | None
    errors: int | None
    cpu_percent: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host in `status`. `state` is that of the run there, or `absent`, `lost`, `strange` (another build), `ended`.

    `clock_offset_us` is by how much its clock is ahead of that of the host that was asked, `silent_seconds` since when
    nothing was heard of it. `trouble` is why it has not said how it stands.
    """

    host: str
    state: str
    nodes: int | None
    pid: int | None
    clock_offset_us: int | None
    clock_error_us: int | None
    silent_seconds: float | None
    logs: str | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in `list`. `state` is `running`, or `stale` where the launcher is gone and its directory is left."""

    run: str
    dataflow: str
    host: str
    state: str
    pid: int
    nodes: int
    started: str
    uptime_seconds: float | None
    logs: str
    bundle: str


def node_rows(status: Status, metrics: Metrics | None) -> tuple[NodeRow, ...]:
    """Put what a host says of its nodes into rows, in the order of the dataflow."""
    measured = {node.node: node for node in metrics.nodes} if metrics is not None else {}
    return tuple(_node_row(node, status.run.host, measured) for node in status.nodes)


def host_rows(views: Sequence[HostView]) -> tuple[HostRow, ...]:
    """Put what is known of the hosts of a run into rows."""
    return tuple(_host_row(view) for view in views)


def run_rows(runs: Sequence[FoundRun], now: datetime | None = None) -> tuple[RunRow, ...]:
    """Put the runs that were found into rows."""
    now = now or datetime.now(UTC)
    return tuple(_run_row(run, now) for run in runs)


def status_object(status: Status, hosts: Sequence[HostRow], rows: Sequence[NodeRow]) -> dict[str, object]:
    """Give `status` as one JSON object; what is said of the run is what the host says that was asked."""
    return {
        "version": SCHEMA_VERSION,
        "run": status.run.name,
        "dataflow": status.run.dataflow,
        "host": status.run.host,
        "state": status.state,
        "pid": status.run.launcher,
        "started": status.run.started,
        "logs": status.run.logs,
        "hosts": [asdict(row) for row in hosts],
        "nodes": [asdict(row) for row in rows],
    }


def list_object(rows: Sequence[RunRow]) -> dict[str, object]:
    """Give `list` as one JSON object."""
    return {"version": SCHEMA_VERSION, "runs": [asdict(row) for row in rows]}


def _host_row(view: HostView) -> HostRow:
    said, seen = view.status, view.seen
    return HostRow(
        host=view.host,
        state=view.state,
        nodes=len(said.nodes) if said is not None else None,
        pid=said.run.launcher if said is not None else None,
        clock_offset_us=seen.clock_us if seen is not None else 0,
        clock_error_us=seen.clock_error_us if seen is not None else 0,
        silent_seconds=round(seen.silent_ms / 1000, 1) if seen is not None else 0.0,
        logs=said.run.logs if said is not None else None,
        trouble=view.trouble or None,
    )


def _node_row(node: NodeState, host: str, measured: Mapping[str, NodeMetrics]) -> NodeRow:
    found = measured.get(node.node)
    known = found if found is not None and found.age_ms is not None else None
    return NodeRow(
        node=node.node,
        host=host,
        state=node.state,
        pid=node.process or None,
        uptime_seconds=None if node.uptime_ms is None else round(node.uptime_ms / 1000, 1),
        restarts=node.restarts,
        last_exit=node.last_exit,
        input_rate=round(sum(port.rate for port in known.inputs) / 1000, 2) if known else None,
        p50_us=known.p50_us if known else None,
        p99_us=known.p99_us if known else None,
        drops=sum(port.dropped for port in (*known.inputs, *known.outputs)) if known else None,
        errors=sum(port.errors for port in known.inputs) if known else None,
        cpu_percent=round(found.cpu / 10, 1) if found is not None and node.process else None,
        memory_bytes=node.memory if node.process else None,
    )


def _run_row(run: FoundRun, now: datetime) -> RunRow:
    facts = run.facts
    return RunRow(
        run=facts.name,
        dataflow=facts.dataflow,
        host=facts.host,
        state="running" if run.is_alive else "stale",
        pid=facts.launcher,
        nodes=facts.nodes,
        started=facts.started,
        uptime_seconds=_since(facts.started, now) if run.is_alive else None,
        logs=facts.logs,
        bundle=facts.bundle,
    )


def _since(moment: str, now: datetime) -> float | None:
    try:
        return round(max(0.0, (now - datetime.fromisoformat(moment)).total_seconds()), 1)
    except (ValueError, TypeError):
        return None
