"""A run on two hosts, operated from one of them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.fleet import Fleet

FLOW = """\
nodes:
  - {id: camera, path: camera.py, inputs: {tick: dora/timer/millis/50}, outputs: [image], deploy: {machine: arm}}
  - {id: viewer, path: viewer.py, inputs: {image: camera/image}, deploy: {machine: desk}}
"""
CAMERA = """
from dora import Node
with Node() as node:
    for number, event in enumerate(node):
        if event["type"] == "INPUT":
            node.send_output("image", bytes(8))
            if number < 3:
                print("sent", number, flush=True)
"""
VIEWER = """
from dora import Node
with Node() as node:
    for number, event in enumerate(node):
        if event["type"] == "INPUT" and number < 3:
            print("seen", number, flush=True)
"""


HOSTS = ("arm", "desk")


def on_arm(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        fleet.network.command("arm", sys.executable, "-m", "doraflow", *arguments),
        env={**fleet.environment("arm"), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(fleet: Fleet, *arguments: str) -> Any:
    done = on_arm(fleet, *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_on_two_hosts_is_operated_from_one_of_them(fleet: Fleet) -> None:
    bundle = fleet.build(FLOW, {"camera": CAMERA, "viewer": VIEWER})
    launches = [fleet.launch(bundle, host) for host in ("arm", "desk")]
    launches[1].wait_for("seen 2")

    status = told(fleet, "status", "--timeout", "30")
    assert [(row["host"], row["state"], row["nodes"]) for row in status["hosts"]] == [
        ("arm", "running", 1),
        ("desk", "running", 1),
    ]
    assert abs(status["hosts"][1]["clock_offset_us"]) < 1_000_000  # both are this machine
    assert [(row["node"], row["host"], row["state"]) for row in status["nodes"]] == [
        ("camera", "arm", "running"),
        ("viewer", "desk", "running"),
    ]
    assert status["nodes"][1]["input_rate"] is not None
    table = on_arm(fleet, "status", "--host", "desk", "--timeout", "30").stdout.splitlines()
    assert table[0].startswith("HOST ")
    assert [line.split()[:3] for line in table[-2:]] == [["NODE", "HOST", "STATE"], ["viewer", "desk", "running"]]

    lines = on_arm(fleet, "logs", "--output", "json").stdout.splitlines()
    said = [(record["node"], record["message"]) for record in map(json.loads, lines)]
    assert ("camera", "sent 2") in said
    assert ("viewer", "seen 2") in said
    only = on_arm(fleet, "logs", "--host", "desk", "--output", "json").stdout.splitlines()
    assert {json.loads(line)["node"] for line in only} == {"viewer"}

    assert told(fleet, "pause", "viewer", "--timeout", "30")["message"] == "`viewer` is paused (on `desk`)"
    assert told(fleet, "status", "--host", "desk", "--timeout", "30")["nodes"][0]["state"] == "paused"
    assert told(fleet, "resume", "viewer", "--timeout", "30")["message"] == "`viewer` goes on (on `desk`)"
    refused = on_arm(fleet, "restart", "vewer", "--timeout", "30")
    assert "to name the closest, write `viewer`" in refused.stderr
    refused = on_arm(fleet, "inspect", "viewer/nothing")
    assert "`viewer` runs on host `desk`" in refused.stderr

    stopped = on_arm(fleet, "stop", "--timeout", "60")
    assert stopped.returncode == 0, stopped.stderr
    assert [launch.wait() for launch in launches] == [0, 0]


def test_a_host_that_is_stopped_alone_is_told_as_ended(fleet: Fleet) -> None:
    bundle = fleet.build(FLOW, {"camera": CAMERA, "viewer": VIEWER})
    launches = [fleet.launch(bundle, host) for host in ("arm", "desk")]
    launches[1].wait_for("seen 2")
    stopped = on_arm(fleet, "stop", "--host", "desk", "--timeout", "60")
    assert stopped.returncode == 0, stopped.stderr
    assert launches[1].wait() == 0
    status = told(fleet, "status", "--timeout", "30")
    assert [(row["host"], row["state"]) for row in status["hosts"]] == [("arm", "running"), ("desk", "ended")]
    assert status["hosts"][1]["trouble"]
    assert on_arm(fleet, "stop", "--timeout", "60").returncode == 0
    assert launches[0].wait() == 0
