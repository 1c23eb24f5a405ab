"""Nodes that hang and inputs that fall silent: who is killed, who is not, and what readers are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

SLOW_INTERVAL = 0.1
READS = """
    from doraflow_runtime.node_api.node import Node

    seen = None
    with Node() as node:
        for event in node:
            what = bytes(event.value.to_pylist()).decode() if event.type == "INPUT" else f"{event.type} {event.id}"
            if what != seen:
                seen = what
                print(what, flush=True)
            if what == "enough":
                node.stop_all()
"""
TICK = {"tick": "dora/timer/millis/20"}


def quickly_watched(world: Any) -> Any:
    bundle = world.bundle()
    bundle.health_check_interval = SLOW_INTERVAL
    return bundle


def test_a_node_that_hangs_is_killed_and_started_again(world: Any) -> None:
    bundle = quickly_watched(world)
    hangs = """
        import time
        from doraflow_runtime.node_api.node import Node

        with Node() as node:
            for event in node:
                node.send_output("out", b"hangs" if node.restart_count == 0 else b"enough")
                if node.restart_count == 0:
                    time.sleep(60)
    """
    # Its second life has two seconds for its message on a machine that does other work.
    keys = {"restart_policy": "on-failure", "health_check_timeout": 2.0}
    bundle.node("hangs", hangs, inputs=TICK, outputs=("out",), **keys)
    bundle.node("reader", READS, inputs={"in": "hangs/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "`hangs` has shown no sign of life for 2." in launch.err
    assert [row["message"] for row in launch.log("reader")] == [
        *("hangs", "NODE_RESTARTED hangs", "enough", "STOP MANUAL")
    ]


def test_a_node_that_hangs_and_may_not_be_started_again_fails(world: Any) -> None:
    bundle = quickly_watched(world)
    hangs = """
        import time
        from doraflow_runtime.node_api.node import Node

        with Node() as node:
            time.sleep(60)
    """
    bundle.node("hangs", hangs, inputs=TICK, health_check_timeout=0.3)
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert "error[DF802]: `hangs` showed no sign of life for 0." in launch.err
    assert "s and was killed\n" in launch.err


def test_a_node_that_waits_sends_or_receives_has_not_hung(world: Any) -> None:
    bundle = quickly_watched(world)
    waits = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            for event in node:
                print(event.type, flush=True)
    """
    sends = """
        import time
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline:
                node.send_output("out", b"x")
                time.sleep(0.01)
            node.stop_all()
            time.sleep(0.1)
    """
    starts_slowly = "        import time\n        time.sleep(2.5)\n" + waits
    bundle.node("waits", waits, inputs={"in": "silent/out"}, health_check_timeout=1.5)
    bundle.node("silent", waits, inputs={"in": "waits/never"}, outputs=("out",), health_check_timeout=1.5)
    bundle.nodes[0] = replace(bundle.nodes[0], outputs=(replace(bundle.nodes[1].outputs[0], id="never"),))
    bundle.node("sends", sends, outputs=("out",), health_check_timeout=1.5)
    bundle.node("reads", starts_slowly, inputs={"in": "sends/out"}, health_check_timeout=1.5)
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "no sign of life" not in launch.err


def test_a_silent_input_is_closed_and_recovers(world: Any) -> None:
    bundle = world.bundle()
    pauses = """
        import pathlib, time
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            time.sleep(0.6)
            node.send_output("out", b"one")
            while not pathlib.Path("closed").exists():
                time.sleep(0.02)
            node.send_output("out", b"two")
            time.sleep(0.1)
    """
    bundle.node("pauses", pauses, outputs=("out",))
    bundle.node("reader", READS, inputs={"in": "pauses/out"})
    reader = bundle.nodes[1]
    bundle.nodes[1] = replace(reader, inputs=(replace(reader.inputs[0], timeout=0.3),))
    launch = world.launch(bundle)
    launch.wait_for("reader | INPUT_CLOSED in")
    bundle.source("closed", "")
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == [
        *("one", "INPUT_CLOSED in", "two", "INPUT_RECOVERED in", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")
    ]


def test_an_input_that_broke_is_not_told_twice_to_be_closed(world: Any) -> None:
    bundle = world.bundle()
    ends = """
        import time
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            node.send_output("out", b"one")
            time.sleep(0.8)
    """
    bundle.node("ends", ends, outputs=("out",))
    bundle.node("reader", READS, inputs={"in": "ends/out"})
    reader = bundle.nodes[1]
    bundle.nodes[1] = replace(reader, inputs=(replace(reader.inputs[0], timeout=0.2),))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == ["one", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]
