"""Nodes that are started again by their policy: what they, their readers and senders see, and how it ends."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

COUNTS = """
    import os, sys, time
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        print(f"life {node.restart_count}", flush=True)
        for event in node:
            if event.type != "INPUT":
                print(event.type, event.id, flush=True)
                continue
            node.send_output("count", bytes([node.restart_count]))
            if node.restart_count < LIVES:
                END
"""
READS = """
    from doraflow_runtime.node_api.node import Node

    seen = []
    with Node() as node:
        print("joined", node.restart_count, flush=True)
        for event in node:
            what = event.value[0].as_py() if event.type == "INPUT" else f"{event.type} {event.id}"
            if what not in seen:
                seen.append(what)
                print(what, flush=True)
            if what == ENOUGH:
                node.stop_all()
"""
TICK = {"tick": "dora/timer/millis/10"}
RESTARTED = "NODE_RESTARTED counter"


def counting(end: str, lives: int) -> str:
    return COUNTS.replace("END", end).replace("LIVES", str(lives))


def reading(enough: object) -> str:
    return READS.replace("ENOUGH", repr(enough))


@pytest.mark.parametrize(
    ("policy", "end", "spawn"),
    [
        ("on-failure", "os._exit(3)", "exec"),
        ("on-failure", "os._exit(3)", "fork"),
        ("on-failure", "raise RuntimeError('broken')", "fork"),
        ("on-failure", "os.kill(os.getpid(), 9)", "exec"),
        ("on-failure", "os.abort()", "fork"),
        ("always", "break", "exec"),
        ("always", "sys.exit(0)", "fork"),
    ],
)
def test_a_node_that_ends_is_started_again_and_its_reader_hears_of_it(
    world: Any, policy: str, end: str, spawn: str
) -> None:
    bundle = world.bundle()
    keys = {"restart_policy": policy, "spawn": spawn}
    bundle.node("counter", counting(end, 2), inputs=TICK, outputs=("count",), **keys)
    bundle.node("reader", reading(2), inputs={"in": "counter/count"}, spawn=spawn)
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == [*("joined 0", "0", RESTARTED, "1", "2", "STOP MANUAL")]
    assert [row["message"] for row in launch.log("counter") if row["message"].startswith("life")] == [
        *("life 0", "life 1", "life 2")
    ]
    assert "`counter`" in launch.err
    assert "it is started again now (restart 1)" in launch.err


def test_a_reader_that_is_started_again_hears_its_sender_again(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("counter", counting("pass", 99), inputs=TICK, outputs=("count",))
    dies = """
        import os
        from doraflow_runtime.node_api.node import Node

        with Node() as node:
            for event in node:
                print(event.type, event.id, node.restart_count, flush=True)
                if event.type == "INPUT":
                    if node.restart_count == 2:
                        node.stop_all()
                    else:
                        os._exit(1)
    """
    bundle.node("reader", dies, inputs={"in": "counter/count"}, restart_policy="on-failure")
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    told = [row["message"] for row in launch.log("reader")]
    assert told[:3] == ["INPUT in 0", "INPUT in 1", "INPUT in 2"]


def test_a_reader_in_backpressure_gives_its_sender_credits_in_its_next_life(world: Any) -> None:
    bundle = world.bundle()
    sends = """
        from itertools import count
        from doraflow_runtime.node_api.node import Node

        with Node() as node:
            for number in count():
                if node.next(timeout=0) is not None:
                    break
                node.send_output("out", number.to_bytes(4, "little"))
    """
    dies = """
        import os
        from doraflow_runtime.node_api.node import Node

        read, last = 0, -1
        with Node() as node:
            for event in node:
                if event.type == "STOP":
                    break
                number = int.from_bytes(bytes(event.value.to_pylist()), "little")
                assert number > last
                read, last = read + 1, number
                if read == 50:
                    print("life", node.restart_count, flush=True)
                    if node.restart_count < 3:
                        os._exit(1)
                    node.stop_all()
    """
    bundle.node("sender", sends, outputs=("out",))
    bundle.node("reader", dies, inputs={"in": "sender/out"}, restart_policy="on-failure")
    reader = bundle.nodes[1]
    bundle.nodes[1] = replace(reader, inputs=(replace(reader.inputs[0], queue_policy="backpressure", queue_size=4),))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == ["life 0", "life 1", "life 2", "life 3"]


def test_after_the_last_restart_the_failure_ends_the_node_and_closes_its_outputs(world: Any) -> None:
    bundle = world.bundle()
    keys = {"restart_policy": "on-failure", "max_restarts": 2, "restart_delay": 0.05}
    bundle.node("counter", counting("os._exit(7)", 99), inputs=TICK, outputs=("count",), **keys)
    bundle.node("reader", reading("never"), inputs={"in": "counter/count"})
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert [row["message"] for row in launch.log("reader")] == [
        *("joined 0", "0", RESTARTED, "1", "2", "NODE_FAILED counter", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")
    ]
    assert "it is started again in 0.05 s (restart 1)" in launch.err
    assert "it is started again in 0.1 s (restart 2)" in launch.err
    assert "error[DF802]: `counter` failed with exit code 7\n" in launch.err
    assert "(it is not started again: restarted 2 times, which is its limit)" in launch.err


def test_a_node_that_fails_before_it_joins_is_awaited_in_its_next_life(world: Any) -> None:
    bundle = world.bundle()
    fails_first = """
        import json, os
        if json.load(open(os.environ["DORAFLOW_CONFIG"])).get("restart_count", 0) < 2:
            raise SystemExit(4)
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            for event in node:
                node.send_output("out", b"x")
                break
    """
    bundle.node("late", fails_first, inputs=TICK, outputs=("out",), restart_policy="on-failure")
    bundle.node("reader", reading("never"), inputs={"in": "late/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == [
        *("joined 0", "120", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")
    ]


def test_a_node_whose_inputs_are_all_closed_is_not_started_again(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "source", "from doraflow_runtime.node_api.node import Node\nwith Node() as node: pass\n", outputs=("x",)
    )
    fails = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            for event in node:
                print(event.type, event.id, flush=True)
        raise SystemExit(5)
    """
    bundle.node("reader", fails, inputs={"in": "source/x"}, restart_policy="always")
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert [row["message"] for row in launch.log("reader")] == ["INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]


def test_no_node_is_started_again_while_the_run_is_stopped(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("counter", counting("pass", 99), inputs=TICK, outputs=("count",), restart_policy="always")
    bundle.node("fails", counting("os._exit(1)", 99), inputs=TICK, restart_policy="always", restart_delay=60.0)
    launch = world.launch(bundle)
    launch.wait_for("it is started again in 60 s (restart 1)")
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 1
    assert "error[DF802]: `fails` failed with exit code 1" in launch.err
    assert [row["message"] for row in launch.log("counter")] == ["life 0", "STOP MANUAL"]


def test_a_storm_of_restarts_costs_little(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("fails", kind="shell", path="shell", args=("exit 1",), restart_policy="always")
    bundle.node("other", counting("pass", 99), inputs=TICK)
    launch = world.launch(bundle)
    launch.wait_for("(restart 6)")
    numbers = Path(f"/proc/{launch.process.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, numbers[11:15]))
    assert ticks / os.sysconf("SC_CLK_TCK") < 10
    launch.signal(signal.SIGTERM)
    launch.wait()
    assert launch.err.count("it is started again") < 12


def test_an_operator_node_is_started_again(world: Any) -> None:
    bundle = world.bundle()
    operator = """
        import os, json
        COUNT = json.load(open(os.environ["DORAFLOW_CONFIG"])).get("restart_count", 0)

        class Operator:
            def on_event(self, event, send_output):
                from dora import DoraStatus
                if event["type"] == "INPUT":
                    send_output("out", bytes([COUNT]))
                    if COUNT < 1:
                        os._exit(1)
                return DoraStatus.CONTINUE
    """
    bundle.source("op.py", operator.replace("from dora import", "from doraflow_runtime.node_api.dora import"))
    inputs = {"op/tick": "dora/timer/millis/10"}
    bundle.node("counter", inputs=inputs, outputs=("op/out",), operators=("op",), restart_policy="on-failure")
    bundle.node("reader", reading(1), inputs={"in": "counter/op/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == ["joined 0", "0", RESTARTED, "1", "STOP MANUAL"]
