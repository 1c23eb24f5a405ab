"""How a run is ended from outside or by a node, and what becomes of nodes that do not want to."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

TICKING = """
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        for event in node:
            if event.type == "STOP":
                print("told to stop:", event.id)
            elif event.type == "INPUT":
                print("tick")
"""
STUBBORN = """
    import signal, time
    from doraflow_runtime.node_api.node import Node

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    node = Node()
    print("deaf", flush=True)
    while True:
        time.sleep(1)
"""
TIMER = {"tick": "dora/timer/millis/20"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_one_signal_stops_everything_and_the_run_ends_with_0(world: Any, number: signal.Signals) -> None:
    bundle = world.bundle()
    bundle.node("one", TICKING, inputs=TIMER)
    bundle.node("two", TICKING, inputs=TIMER)
    launch = world.launch(bundle)
    launch.wait_for("one | tick")
    launch.wait_for("two | tick")
    launch.signal(number)
    assert launch.wait() == 0
    assert launch.out.count("told to stop: MANUAL") == 2
    assert f"doraflow: stopping: {number.name} was received" in launch.err
    assert "error" not in launch.err


def test_ctrl_c_at_a_terminal_reaches_only_the_launcher(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("one", TICKING, inputs=TIMER)
    launch = world.launch(bundle)
    launch.wait_for("one | tick")
    os.killpg(launch.process.pid, signal.SIGINT)
    assert launch.wait() == 0
    assert "told to stop" in launch.out
    assert "KeyboardInterrupt" not in launch.out + launch.err


def test_a_node_that_ignores_sigterm_is_killed_and_reported(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("deaf", STUBBORN, inputs=TIMER)
    bundle.node("good", TICKING, inputs=TIMER)
    launch = world.launch(bundle, "--grace", "2")
    launch.wait_for("deaf | deaf")
    launch.wait_for("good | tick")
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 1
    assert "error[DF802]: `deaf` did not end within 2 s of SIGTERM and was killed\n  --> flow.yml:1:9" in launch.err
    assert "`good`" not in launch.err


def test_a_node_that_does_not_listen_for_stop_dies_of_sigterm_and_that_is_well(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("busy", STUBBORN.replace("SIG_IGN", "SIG_DFL"), inputs=TIMER)
    launch = world.launch(bundle, "--grace", "2")
    launch.wait_for("busy | deaf")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0, launch.err


def test_two_signals_kill_what_is_left_at_once(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("deaf", STUBBORN, inputs=TIMER)
    launch = world.launch(bundle, "--grace", "60")
    launch.wait_for("deaf | deaf")
    launch.signal(signal.SIGINT)
    launch.wait_for("stopping: SIGINT")
    time.sleep(0.1)
    launch.signal(signal.SIGINT)
    assert launch.wait() == 130
    assert "doraflow: SIGINT again: killing what is left" in launch.err
    assert "DF802" not in launch.err


def test_a_stop_before_everyone_has_joined_is_a_stop_too(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("late", "import time; print('asleep', flush=True); time.sleep(100)", inputs=TIMER)
    bundle.node("early", TICKING, inputs=TIMER)
    launch = world.launch(bundle)
    launch.wait_for("late  | asleep")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0, launch.err


def test_what_a_node_has_started_ends_with_it(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("parent", path="shell", kind="shell", args=("sleep 1000 & sleep 1000 & echo started; exit 0",))
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert "parent | started" in launch.out


def test_children_that_ignore_sigterm_are_killed_after_the_grace(world: Any) -> None:
    bundle = world.bundle()
    line = "(trap '' TERM; echo deaf; while :; do sleep 0.1; done) & while ! test -e ready; do sleep 0.05; done; exit 0"
    bundle.node("parent", path="shell", kind="shell", args=(line,))
    launch = world.launch(bundle, "--grace", "0.3")
    launch.wait_for("parent | deaf")
    bundle.source("ready", "")
    assert launch.wait() == 0


def test_stop_all_from_a_node_stops_the_others_too(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("one", TICKING, inputs=TIMER)
    bundle.node(
        "two",
        """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            node.stop_all()
            for event in node:
                print(event.type)
        """,
        inputs=TIMER,
    )
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert "doraflow: stopping: `two` asked for it" in launch.err
    assert "one | told to stop: MANUAL" in launch.out
