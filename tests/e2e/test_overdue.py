"""Nodes that take too long to join, or to end when nothing more comes in: each wait has an end that is told."""

from __future__ import annotations

import signal
import time
from typing import Any

TICK = {"tick": "dora/timer/millis/20"}
WAITS = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            if event.type != "INPUT":
                print(event.type, event.id, flush=True)
"""
ONE_MESSAGE = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        node.send_output("out", b"x")
"""
GOES_ON = """
    import signal, time
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            print(event.type, event.id, flush=True)
        time.sleep(600)
"""


def test_a_node_that_does_not_join_in_its_own_time_is_killed_and_its_policy_asked(world: Any) -> None:
    bundle = world.bundle()
    slow_first = """
        import json, os, time
        if not json.load(open(os.environ["DORAFLOW_CONFIG"])).get("restart_count", 0):
            time.sleep(600)
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            print("joined in life", node.restart_count, flush=True)
            node.send_output("out", b"x")
    """
    # The second life has ten seconds to join, so that a machine that does other work does not end it as well.
    bundle.node("slow", slow_first, outputs=("out",), restart_policy="on-failure", startup_timeout=10.0)
    bundle.node("reader", WAITS, inputs={"in": "slow/out"})
    launch = world.launch(bundle)
    assert launch.wait(60) == 0, launch.err
    assert "doraflow: `slow` has not joined the dataflow within 10 s and is killed\n" in launch.err
    assert (
        "`slow` did not join the dataflow within 10 s, its `startup_timeout`, and was killed; "
        "it is started again now (restart 1)\n"
    ) in launch.err
    assert [row["message"] for row in launch.log("slow")] == ["joined in life 1"]
    assert [row["message"] for row in launch.log("reader")] == ["INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]


def test_a_node_that_does_not_join_in_its_own_time_ends_the_run_if_its_policy_is_never(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("slow", "import time; time.sleep(600)\n", outputs=("out",), startup_timeout=0.5)
    bundle.node("reader", WAITS, inputs={"in": "slow/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert (
        "error[DF802]: `slow` did not join the dataflow within 0.5 s, its `startup_timeout`, and was killed\n"
    ) in launch.err
    assert launch.err.count("error[") == 1


def test_a_node_that_may_take_longer_than_the_start_gives_the_others_its_time(world: Any) -> None:
    bundle = world.bundle()
    slow = "import time; time.sleep(2)\n" + ONE_MESSAGE.replace("\n    ", "\n").lstrip()
    bundle.node("slow", slow, outputs=("out",), startup_timeout=60.0)
    bundle.node("reader", WAITS, inputs={"in": "slow/out"})
    launch = world.launch(bundle, "--start-timeout", "1")
    assert launch.wait(60) == 0, launch.err


def test_a_node_that_alone_goes_on_when_its_inputs_are_closed_is_stopped(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("source", ONE_MESSAGE, outputs=("out",))
    bundle.node("goes_on", GOES_ON, inputs={"in": "source/out"}, finish_grace=2.0)
    launch = world.launch(bundle, "--grace", "2")
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("goes_on")] == [
        *("INPUT in", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")
    ]
    assert "`goes_on` alone goes on, 2 s after its last input was closed, and is stopped\n" in launch.err


def test_one_that_hangs_on_its_last_message_is_stopped_too_and_fails_if_it_ignores_sigterm(world: Any) -> None:
    bundle = world.bundle()
    hangs = GOES_ON.replace("print(", "time.sleep(600); print(").replace(
        "    with", "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    with"
    )
    bundle.node("source", ONE_MESSAGE, outputs=("out",))
    bundle.node("hangs", hangs, inputs={"in": "source/out"}, restart_policy="always")
    launch = world.launch(bundle, "--grace", "0.3", "--finish-grace", "1")
    assert launch.wait() == 1
    assert "error[DF802]: `hangs` did not end within 0.3 s of SIGTERM and was killed\n" in launch.err
    assert "started again" not in launch.err


def test_no_node_is_stopped_while_another_goes_on_by_itself_or_the_grace_is_off(world: Any) -> None:
    for other, options in ((True, ("--finish-grace", "0")), (False, ("--finish-grace", "off"))):
        bundle = world.bundle(f"bundle_{other}")
        bundle.node("source", ONE_MESSAGE, outputs=("out",))
        bundle.node("goes_on", GOES_ON, inputs={"in": "source/out"})
        if other:
            bundle.node("clock", WAITS, inputs=TICK)
        launch = world.launch(bundle, *options, "--grace", "0.5")
        launch.wait_for("STOP ALL_INPUTS_CLOSED")
        time.sleep(1.0)
        assert launch.process.poll() is None, launch.err
        launch.signal(signal.SIGTERM)
        launch.wait()
        assert "alone goes on" not in launch.err
