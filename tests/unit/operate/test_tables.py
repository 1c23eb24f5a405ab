"""Tables and rows of `status` and `list`."""

from __future__ import annotations

import doctest
import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from doraflow_runtime.control.messages import HostState, Metrics, NodeMetrics, NodeState, PortMetrics, Status
from doraflow_runtime.control.places import RunFacts
from doraflow_runtime.control.registry import FoundRun

from doraflow.operate.fleet import HostView
from doraflow.operate.rows import host_rows, list_object, node_rows, run_rows, status_object
from doraflow.operate.tables import host_table, node_table, run_table

FACTS = RunFacts("v-1", "v", "local", 10, "2026-01-01T00:00:00+00:00", "/logs", "/bundle", 2)
STATUS = Status(
    FACTS,
    "running",
    1000,
    (
        NodeState("camera", "running", 11, 61_000, 0, 900, 39_157_760),
        NodeState("detector", "failed", restarts=2, last_exit=-9),
    ),
)
METRICS = Metrics(
    1000,
    (
        NodeMetrics("camera", 5, 125, 240, 4166, (PortMetrics("tick", 9, 0, 30_000, 0, 1, 0, 2, 240, 4166),), ()),
        NodeMetrics("detector"),
    ),
)

VIEWS = (
    HostView("local", STATUS, METRICS),
    HostView("gpu", STATUS, None, HostState("gpu", "running", 1_200, 300, 400)),
    HostView("base", seen=HostState("base", "lost", -40, 12, 12_300), trouble="host `base` is lost"),
    HostView("desk", seen=HostState("desk", "absent"), trouble="host `desk` has not come yet"),
)


@pytest.mark.parametrize("module", ["tables", "rows", "choosing"])
def test_the_examples_in_docstrings_hold(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"doraflow.operate.{module}")).failed == 0


def test_a_table_lines_up() -> None:
    text = "".join(piece for piece, _ in node_table(node_rows(STATUS, METRICS)))
    assert text.splitlines() == [
        "NODE      STATE    PID  UPTIME  RESTARTS  IN/S    P50    P99  DROPS  ERRORS    CPU    MEMORY",
        "camera    running   11   1m01s         0  30.0  240µs  4.2ms      1       2  12.5%  37.3 MiB",
        "detector  failed     -       -         2     -      -      -      -       -      -         -",
    ]


def test_hosts_stand_above_the_nodes_and_say_why_they_are_silent() -> None:
    assert "".join(piece for piece, _ in host_table(host_rows(VIEWS))).splitlines() == [
        "HOST   STATE    NODES  LAUNCHER          CLOCK      HEARD  LOGS",
        "local  running      2        10     asked here          -  /logs",
        "gpu    running      2        10  +1.2ms ±300µs   0.4s ago  /logs",
        "base   lost         -         -    -40µs ±12µs  12.3s ago  host `base` is lost",
        "desk   absent       -         -              -          -  host `desk` has not come yet",
    ]
    rows = [row for view in VIEWS if view.status is not None for row in node_rows(view.status, view.metrics)]
    lines = "".join(piece for piece, _ in node_table(rows, has_hosts=True)).splitlines()
    assert lines[0].split()[:3] == ["NODE", "HOST", "STATE"]
    assert lines[1].split()[:3] == ["camera", "local", "running"]


def test_what_was_not_measured_is_unknown() -> None:
    row = node_rows(STATUS, None)[0]
    assert (row.input_rate, row.p50_us, row.drops, row.errors, row.cpu_percent) == (None,) * 5
    assert row.memory_bytes == 39_157_760


def test_the_object_of_a_status_has_stable_keys() -> None:
    told = status_object(STATUS, host_rows(VIEWS), node_rows(STATUS, METRICS))
    assert list(told) == ["version", "run", "dataflow", "host", "state", "pid", "started", "logs", "hosts", "nodes"]
    nodes = told["nodes"]
    assert isinstance(nodes, list)
    assert nodes[0] == {
        "node": "camera",
        "host": "local",
        "state": "running",
        "pid": 11,
        "uptime_seconds": 61.0,
        "restarts": 0,
        "last_exit": None,
        "input_rate": 30.0,
        "p50_us": 240,
        "p99_us": 4166,
        "drops": 1,
        "errors": 2,
        "cpu_percent": 12.5,
        "memory_bytes": 39_157_760,
    }


def test_a_list_tells_living_and_stale_runs() -> None:
    now = datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    rows = run_rows(
        [FoundRun(Path("/r/v-1"), FACTS, is_alive=True), FoundRun(Path("/r/v-1"), FACTS, is_alive=False)], now
    )
    assert "".join(piece for piece, _ in run_table(rows)).splitlines() == [
        "RUN  DATAFLOW  STATE    PID  NODES  UPTIME  LOGS",
        "v-1  v         running   10      2   1m30s  /logs",
        "v-1  v         stale     10      2       -  /logs",
    ]
    told = list_object(rows)
    assert list(told) == ["version", "runs"]


def test_the_page_names_every_key() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/operating.md").read_text()
    told = status_object(STATUS, host_rows(VIEWS), node_rows(STATUS, METRICS)) | list_object(
        run_rows([FoundRun(Path("/r/v-1"), FACTS, is_alive=True)])
    )
    nested = [*told["nodes"], *told["hosts"], *told["runs"]]  # type: ignore[misc]
    keys = {*told} | {key for row in nested for key in row}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
