"""One node restarted, stopped, paused and resumed by an operator, and what the others and the status say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doraflow_runtime.control.client import Client, RefusedError
from doraflow_runtime.control.messages import AskStatus, Done, Pause, Restart, Resume, Stop, StopNode

SENDS = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        print("life", node.restart_count, flush=True)
        for event in node:
            node.send_output("out", bytes([node.restart_count]))
"""
FAILS = """
    import os
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        print("life", node.restart_count, flush=True)
        os._exit(1)
"""
READS = """
    from doraflow_runtime.node_api.node import Node
    seen = None
    with Node() as node:
        for event in node:
            what = event.value[0].as_py() if event.type == "INPUT" else f"{event.type} {event.id}"
            if what != seen:
                seen = what
                print("saw", what, flush=True)
"""
STUBBORN = """
    import signal, time
    from doraflow_runtime.node_api.node import Node
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with Node() as node:
        print("life", node.restart_count, flush=True)
        while True:
            time.sleep(1)
"""
TICK = {"tick": "dora/timer/millis/20"}


def running(world: Any, sender: str = SENDS, **keys: object) -> tuple[Any, Client]:
    bundle = world.bundle()
    bundle.node("sender", sender, inputs=TICK, outputs=("out",), **keys)
    bundle.node("reader", READS, inputs={"in": "sender/out"})
    launch = world.launch(bundle, "--grace", "0.5" if sender is STUBBORN else "30")
    launch.wait_for("sender | life 0")
    (name,) = world.runs()
    return launch, Client(world.base / name)


def states(client: Client) -> dict[str, str]:
    return {node.node: node.state for node in client.ask(AskStatus()).nodes}  # type: ignore[union-attr]


def test_a_node_is_restarted_whatever_its_policy(world: Any) -> None:
    launch, client = running(world)
    with client:
        launch.wait_for("saw 0")
        client.ask(Restart("sender"))
        launch.wait_for("saw 1")
        assert states(client) == {"sender": "running", "reader": "running"}
        client.ask(Stop())
    assert launch.wait() == 0, launch.err
    told = [row["message"] for row in launch.log("reader")]
    assert told == ["saw 0", "saw NODE_RESTARTED sender", "saw 1", "saw STOP MANUAL"]


def test_a_node_that_will_not_end_is_killed_to_be_restarted(world: Any) -> None:
    launch, client = running(world, STUBBORN)
    with client:
        client.ask(Restart("sender"))
        with pytest.raises(RefusedError, match="`sender` is being restarted already"):
            client.ask(Restart("sender"))
        launch.wait_for("sender | life 1")
        client.ask(Stop())
    assert launch.wait() == 1
    assert "error[DF802]: `sender` did not end within 0.5 s of SIGTERM and was killed" in launch.err


def test_a_paused_node_stands_still_until_it_is_resumed(world: Any, eventually: Any) -> None:
    launch, client = running(world, health_check_timeout=0.2)
    with client:
        launch.wait_for("saw 0")
        client.ask(Pause("sender"))
        (sender, _) = client.ask(AskStatus()).nodes  # type: ignore[union-attr]
        status = Path(f"/proc/{sender.process}/status")
        eventually(lambda: "T (stopped)" in status.read_text(), "it runs")
        with pytest.raises(RefusedError, match="`sender` is paused already"):
            client.ask(Pause("sender"))
        client.ask(Resume("sender"))
        eventually(lambda: "T (stopped)" not in status.read_text(), "it stands still")
        with pytest.raises(RefusedError, match="`sender` is not paused"):
            client.ask(Resume("sender"))
        client.ask(Pause("sender"))
        client.ask(Stop())
    assert launch.wait() == 0, launch.err
    assert [row["message"] for row in launch.log("reader")] == ["saw 0", "saw STOP MANUAL"]


def test_what_cannot_be_done_is_refused_with_the_reason(world: Any) -> None:
    launch, client = running(world, FAILS, restart_policy="always", restart_delay=60.0)
    with client:
        with pytest.raises(RefusedError, match="there is no node `nobody` in this run"):
            client.ask(Restart("nobody"))
        launch.wait_for("it is started again in 60 s")
        assert states(client)["sender"] == "restarting"
        with pytest.raises(RefusedError, match="`sender` has ended and is about to be started again"):
            client.ask(Pause("sender"))
        client.ask(Stop())
    assert launch.wait() == 1


def test_one_node_is_stopped_for_good_whatever_its_policy_and_the_others_go_on(world: Any, eventually: Any) -> None:
    bundle = world.bundle()
    bundle.node("sender", SENDS, inputs=TICK, outputs=("out",), restart_policy="always")
    reads = READS.replace('event.value[0].as_py() if event.type == "INPUT"', '"INPUT" if event.type == "INPUT"')
    bundle.node("reader", reads, inputs={"in": "sender/out", **TICK})
    launch = world.launch(bundle)
    launch.wait_for("sender | life 0")
    launch.wait_for("reader | saw ")
    (name,) = world.runs()
    with Client(world.base / name) as client:
        assert client.ask(StopNode("sender")) == Done("`sender` is stopped")
        launch.wait_for("saw INPUT_CLOSED in")
        eventually(lambda: states(client) == {"sender": "ended", "reader": "running"}, "the sender does not end")
        with pytest.raises(RefusedError, match="`sender` has ended"):
            client.ask(StopNode("sender"))
        client.ask(Stop())
    assert launch.wait() == 0, launch.err
    assert "started again" not in launch.err


def test_a_node_that_waits_to_be_started_again_is_stopped_by_not_starting_it(world: Any, eventually: Any) -> None:
    launch, client = running(world, FAILS, restart_policy="always", restart_delay=60.0)
    with client:
        launch.wait_for("it is started again in 60 s")
        client.ask(StopNode("sender"))
        launch.wait_for("reader | saw STOP ALL_INPUTS_CLOSED")
    assert launch.wait() == 1
    assert "error[DF802]: `sender` failed with exit code 1" in launch.err
