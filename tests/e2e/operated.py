"""What tests that operate a run share: a run that ticks, and the commands that are given to it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

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
    return subprocess.run(
        [sys.executable, "-m", "doraflow", *arguments],
        env={**world.environment, "XDG_CACHE_HOME": str(world.folder / "cache"), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
