"""What tests that operate a run share: a run that ticks, and the commands that are given to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests import commands

if TYPE_CHECKING:
    import subprocess

TICKING = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            print(event.type, flush=True)
"""
TIMER = {"tick": "dora/timer/millis/20"}
COUNTING = """
    import pyarrow as pa
    from doraflow_runtime.node_api.node import Node
    count = 0
    with Node() as node:
        for event in node:
            node.send_output("small", pa.array([count]), {"number": count})
            node.send_output("large", bytes(100_000))
            count += 1
"""


def running(world: Any, name: str = "bundle", *arguments: str) -> Any:
    bundle = world.bundle(name)
    bundle.node("ticking", TICKING, inputs=TIMER)
    launch = world.launch(bundle, *arguments)
    launch.wait_for("ticking | INPUT")
    return launch


def doraflow(world: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**world.environment, "XDG_CACHE_HOME": str(world.folder / "cache"), "NO_COLOR": "1"}
    return commands.doraflow(*arguments, env=environment)


def told(world: Any, *arguments: str) -> Any:
    done = doraflow(world, *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def counting(world: Any) -> Any:
    bundle = world.bundle()
    bundle.node("source", COUNTING, inputs=TIMER, outputs=("small", "large", "unread"))
    bundle.node("reader", TICKING, inputs={"in": "source/small"})
    launch = world.launch(bundle)
    launch.wait_for("reader | INPUT")
    return launch
