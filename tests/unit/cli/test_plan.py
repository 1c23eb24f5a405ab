"""`doraflow plan`: the placement as people and tools read it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests import commands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FLOW = """\
hosts:
  arm: {cores: 4, memory: 4GB}
  gpu: {cores: 16, memory: 32GB, labels: {gpu: a100}}
nodes:
  - id: camera
    path: camera.py
    inputs: {tick: dora/timer/hz/30}
    outputs: [image]
    output_types: {image: std/media/v1/Image}
    deploy: {machine: arm}
  - id: detector
    path: detector.py
    inputs: {image: camera/image}
    outputs: [distance]
    output_types: {distance: std/core/v1/Float64}
    deploy: {labels: {gpu: a100}}
  - id: planner
    path: planner.py
    inputs: {distance: detector/distance}
"""

TABLES = """\
node       host   why
──────────────────────────────────────────────────────────────────
camera     arm    named in `deploy`
detector   gpu    no other machine has `gpu: a100`
planner    gpu    beside `detector`: 3.84 kB/s stays on one machine

from   to    traffic      outputs
──────────────────────────────────────
arm    gpu   ~31.5 MB/s   camera/image

host   nodes   pools   queues     not counted
───────────────────────────────────────────────
arm    1       0 B     0 B        camera/image
gpu    2       0 B     1.25 KiB   -

~ a size or a pace is assumed: give outputs types of a fixed size, and timers
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "flow.yml"
    path.write_text(FLOW)
    return path


def plan(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    return commands.doraflow("plan", path.name, *arguments, cwd=path.parent, env=environment)


def test_tables_show_machines_reasons_traffic_and_memory(flow: Path) -> None:
    done = plan(flow)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip().rstrip("─") for line in done.stdout.splitlines()]
    assert lines == [line.rstrip("─") for line in TABLES.splitlines()]


def test_tools_get_the_same_as_json(flow: Path) -> None:
    told = json.loads(plan(flow, "--output", "json").stdout)
    assert [(node["node"], node["host"]) for node in told["nodes"]] == [
        ("camera", "arm"),
        ("detector", "gpu"),
        ("planner", "gpu"),
    ]
    assert told["links"] == [
        {
            "sender": "arm",
            "receiver": "gpu",
            "outputs": ["camera/image"],
            "bytes_per_second": 31_459_200,
            "is_assumed": True,
        }
    ]
    assert told["hosts"][1] == {
        "host": "gpu",
        "nodes": ["detector", "planner"],
        "pool_bytes": 0,
        "queue_bytes": 1280,
        "uncounted": [],
    }


def test_a_faulty_dataflow_is_told_and_not_planned(flow: Path) -> None:
    flow.write_text(FLOW.replace("camera/image", "camera/imgae"))
    done = plan(flow)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[DF204]: `camera` has no output `imgae`" in done.stderr
