"""Nodes that are started by hand: they join a run that goes on, leave it, and come back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK = {"tick": "dora/timer/millis/20"}
COUNTS = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for number, event in enumerate(node):
            if event.type == "INPUT":
                node.send_output("out", bytes([number % 256]))
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
VISITS = """
    import sys
    from doraflow_runtime.node_api.node import Node
    with Node("guest") as node:
        print("visit", node.restart_count, flush=True)
        for event in node:
            if event.type == "INPUT":
                node.send_output("out", sys.argv[1].encode())
                print("sent", flush=True)
                if sys.argv[2] == "leave":
                    break
            else:
                print(event.type, event.id, flush=True)
"""


@contextlib.contextmanager
def by_hand(world: Any, code: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={**world.environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def running(world: Any, name: str = "bundle") -> Any:
    bundle = world.bundle(name)
    bundle.node("counter", COUNTS, inputs=TICK, outputs=("out",))
    bundle.node("guest", inputs={"in": "counter/out"}, outputs=("out",))
    bundle.node("reader", READS, inputs={"in": "guest/out"})
    bundle.nodes[1] = replace(bundle.nodes[1], dynamic=True)
    del bundle.processes[1]
    launch = world.launch(bundle)
    launch.wait_for("run flow-")
    return launch


def test_a_guest_joins_leaves_and_comes_back(world: Any, eventually: Any) -> None:
    launch = running(world)
    with by_hand(world, VISITS, "A", "leave", DORAFLOW_JOIN_SECONDS="60") as guest:
        out, err = guest.communicate(timeout=60)
    assert (guest.returncode, out, err) == (0, "visit 0\nsent\n", "")
    launch.wait_for("saw 65")
    launch.wait_for("`guest` has left the dataflow")
    with by_hand(world, VISITS, "B", "stay") as guest:
        launch.wait_for("saw 66")
        guest.send_signal(signal.SIGKILL)
    eventually(lambda: launch.err.count("`guest` has left the dataflow") == 2, "the guest is not missed")
    with by_hand(world, VISITS, "C", "stay", DORAFLOW_RUN="flow") as guest:
        launch.wait_for("saw 67")
        launch.signal(signal.SIGTERM)
        out, err = guest.communicate(timeout=60)
        assert out.startswith("visit 2\nsent\n")
        assert out.endswith("STOP MANUAL\n")
    assert launch.wait() == 0, launch.err
    told = [row["message"] for row in launch.log("reader")]
    assert told == [
        *("saw 65", "saw NODE_RESTARTED guest", "saw 66", "saw NODE_RESTARTED guest", "saw 67", "saw STOP MANUAL")
    ]


def test_a_guest_without_a_run_is_told_what_to_do(world: Any) -> None:
    with by_hand(world, VISITS, "A", "leave") as guest:
        _, err = guest.communicate(timeout=60)
    assert guest.returncode == 1
    assert "RuntimeError: this process is not part of a dataflow: nothing runs, so `guest` has nothing to join: " in err
    with by_hand(world, VISITS, "A", "leave", DORAFLOW_RUN="night", DORAFLOW_JOIN_SECONDS="0.2") as guest:
        _, err = guest.communicate(timeout=60)
    assert "no run is named `night` within 0.2 s, so `guest` has nothing to join" in err


def test_a_guest_of_several_runs_has_to_name_one(world: Any) -> None:
    launches = [running(world), running(world, "other")]
    with by_hand(world, VISITS, "A", "leave") as guest:
        _, err = guest.communicate(timeout=60)
    assert "RuntimeError: several runs have a dynamic node `guest`: " in err
    with by_hand(world, VISITS.replace('"guest"', '"nobody"'), "A", "leave") as guest:
        _, err = guest.communicate(timeout=60)
    assert "RuntimeError: no run has a dynamic node `nobody`; there runs " in err
    for launch in launches:
        launch.signal(signal.SIGTERM)
        assert launch.wait() == 0


def test_a_place_is_taken_once(world: Any) -> None:
    launch = running(world)
    with by_hand(world, VISITS, "A", "stay", DORAFLOW_JOIN_SECONDS="60"):
        launch.wait_for("saw 65")
        with by_hand(world, VISITS, "B", "stay") as second:
            _, err = second.communicate(timeout=60)
        assert "RuntimeError: another process has joined as `guest` already" in err
        launch.signal(signal.SIGTERM)
        assert launch.wait() == 0


def test_a_run_of_guests_alone_goes_on_until_it_is_stopped(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("guest", outputs=("out",))
    bundle.nodes[0] = replace(bundle.nodes[0], dynamic=True)
    bundle.processes.clear()
    launch = world.launch(bundle)
    visit = "from doraflow_runtime.node_api.node import Node\nwith Node('guest') as node:\n    print('here')\n"
    with by_hand(world, visit, DORAFLOW_JOIN_SECONDS="60") as guest:
        out, _ = guest.communicate(timeout=60)
    assert out == "here\n"
    launch.wait_for("`guest` has left the dataflow")
    os.kill(launch.process.pid, signal.SIGTERM)
    assert launch.wait() == 0


TELLS = """
    import logging
    import sys
    from doraflow_runtime.node_api.node import Node
    with Node("guest") as node:
        node.log("info", "by the node")
        logging.getLogger("lens").warning("by logging")
        print("by print", flush=True)
        for event in node:
            if event.type == "STOP":
                break
    if sys.argv[1] == "raise":
        raise RuntimeError("by Python")
"""


def test_what_a_guest_logs_is_in_the_log_of_the_run_and_what_it_prints_at_its_terminal(world: Any) -> None:
    launch = running(world)
    with by_hand(world, TELLS, "raise", DORAFLOW_JOIN_SECONDS="60") as guest:
        launch.wait_for("by logging")
        launch.signal(signal.SIGTERM)
        out, err = guest.communicate(timeout=60)
    assert launch.wait() == 0, launch.err
    told = [(row["level"], row["target"], row["message"]) for row in launch.log("guest")]
    assert told[:2] == [("info", None, "by the node"), ("warn", "lens", "by logging")]
    # The run may be over before the exception, which then stands as a line on standard output.
    assert out.startswith("by print\n")
    assert "RuntimeError: by Python" in out or ("error", "python", "RuntimeError: by Python") in told
    assert "WARNING:lens:by logging" in err
    assert err.endswith("RuntimeError: by Python\n")


def test_a_guest_outlives_the_run_and_its_log_lines_go_to_standard_output(world: Any) -> None:
    launch = running(world)
    code = (
        TELLS
        + """
    sys.stdin.readline()
    node.log("error", "afterwards")
"""
    )
    command = [sys.executable, "-c", textwrap.dedent(code), "stay"]
    environment = {**world.environment, "DORAFLOW_JOIN_SECONDS": "60"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as guest:
        launch.wait_for("by logging")
        launch.signal(signal.SIGTERM)
        assert launch.wait() == 0, launch.err
        out, _ = guest.communicate("go\n", timeout=60)
    assert '"message": "afterwards"' in out
    assert guest.returncode == 0
