"""`--output json` of the commands that need a run: what it prints is what its schema says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.commands import doraflow
from tests.outputs import told

ROOT = Path(__file__).resolve().parents[2]
SENDER = """
import pyarrow as pa
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        node.send_output("out", pa.array([1]), {"kind": "test"})
        print("sent", flush=True)
"""
FLOW = """
name: flow
nodes:
  - {id: sender, path: sender.py, inputs: {tick: dora/timer/millis/50}, outputs: [out]}
"""


def test_operators_commands_print_what_their_schemas_say(world: Any) -> None:
    def said(*arguments: str) -> list[Any]:
        environment = {**world.environment, "XDG_CACHE_HOME": str(world.folder / "cache"), "NO_COLOR": "1"}
        environment["PYTHONPATH"] += f":{ROOT}"
        done = doraflow(*arguments, "--output", "json", env=environment)
        assert done.returncode == 0, done.stderr
        return told(arguments[0], done.stdout)

    (world.folder / "flow.yml").write_text(FLOW)
    (world.folder / "sender.py").write_text(SENDER)
    (run,) = said("start", str(world.folder / "flow.yml"), "--detach", "--name", "night")
    assert (run["run"], run["dataflow"], run["nodes"]) == ("night", "flow", ["sender"])
    os.kill(run["pid"], 0)
    assert [each["run"] for each in said("list")[0]["runs"]] == ["night"]
    assert [node["node"] for node in said("status")[0]["nodes"]] == ["sender"]
    seen = said("inspect", "sender/out", "--seconds", "1.5")
    assert {"schema", "message", "pace"} == {each["kind"] for each in seen}
    (paused,) = said("pause", "sender")
    assert paused == {"version": 1, "run": "night", "node": "sender", "message": "`sender` is paused"}
    assert said("resume", "sender")[0]["message"] == "`sender` goes on"
    assert said("restart")[0]["node"] is None
    assert said("logs", "--run", "night")[0]["message"] == "sent"
    assert said("stop") == [{"version": 1, "run": "night", "node": None, "message": "stopped"}]
    assert said("list") == [{"version": 1, "runs": []}]
