"""What can go wrong with a node, one fault after another: what its reader saw, the report, the exit code.

Afterwards nothing is left: no process, socket, shared memory or file (the fixture `world` sees to that).
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from typing import Any

import pytest

HEAD = """
    import os, subprocess, signal, sys, time
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        for event in node:
            node.send_output("out", b"x" * 20_000)
            BREAK
"""
READS = """
    from doraflow_runtime.node_api.node import Node

    seen = None
    with Node() as node:
        for event in node:
            what = f"{event.type} {event.id}"
            if what != seen:
                seen = what
                print(what, flush=True)
"""
BYSTANDS = """
    from pathlib import Path
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        count = 0
        for event in node:
            count += event.type == "INPUT"
            if count >= 20 and Path("enough").exists():
                print("goes on", flush=True)
                node.stop_all()
                break
"""
TICK = {"tick": "dora/timer/millis/50"}
EXIT_1 = "`fails` failed with exit code 1"
CLOSED = ("INPUT in", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")
FAILED = ("INPUT in", "NODE_FAILED fails", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED")


@dataclass(frozen=True)
class Fault:
    """What a node does after its first message, and what follows."""

    code: str
    saw: tuple[str, ...] = CLOSED
    exit_code: int = 1
    report: str = ""

    @property
    def is_noticed(self) -> bool:
        """Whether anything follows before the run is stopped."""
        return "STOP MANUAL" not in self.saw


FAULTS = {
    "exits 0": Fault("os._exit(0)", exit_code=0),
    "ends its loop": Fault("break", exit_code=0),
    "exits 1": Fault("os._exit(1)", FAILED, report=EXIT_1),
    "raises": Fault("1 / 0", report="`fails` failed with exit code 1: ZeroDivisionError: division by zero"),
    "raises SystemExit": Fault("sys.exit('no camera')", report=EXIT_1),
    "segfaults": Fault("os.kill(os.getpid(), signal.SIGSEGV)", FAILED, report="`fails` was killed by SIGSEGV"),
    "aborts": Fault("os.abort()", FAILED, report="`fails` was killed by SIGABRT"),
    "is killed": Fault("os.kill(os.getpid(), signal.SIGKILL)", FAILED, report="`fails` was killed by SIGKILL"),
    "closes its output": Fault("node.close_output('out')", exit_code=0),
    "closes itself and lives on": Fault("node.close(); time.sleep(60)", exit_code=0),
    "forks a child that goes on": Fault(
        "os.fork() or time.sleep(60); os._exit(1)", FAILED, report="`fails` failed with exit code 1"
    ),
    "starts a process that goes on": Fault("subprocess.Popen(['sleep', '60']); os._exit(1)", FAILED, report=EXIT_1),
    "hangs": Fault("time.sleep(60)", ("INPUT in", "STOP MANUAL"), exit_code=0),
    "hangs and ignores SIGTERM": Fault(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        ("INPUT in", "STOP MANUAL"),
        report="`fails` did not end within 2 s of SIGTERM and was killed",
    ),
    "closes its standard output": Fault(
        "os.close(1); os.close(2); os._exit(1)", FAILED, report="`fails` failed with exit code 1"
    ),
}

ORDERLY = ("1 / 0", "sys.exit('no camera')")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("spawn", ["fork", "exec"])
def test_a_fault_is_told_to_the_reader_and_in_the_report_and_harms_nobody_else(
    world: Any, fault: Fault, spawn: str
) -> None:
    bundle = world.bundle()
    bundle.node("fails", HEAD.replace("BREAK", fault.code), inputs=TICK, outputs=("out",), spawn=spawn)
    bundle.node("reader", READS, inputs={"in": "fails/out"}, spawn=spawn)
    bundle.node("bystander", BYSTANDS, inputs=TICK, spawn=spawn)
    temporary = world.folder / "temporary"
    temporary.mkdir()
    launch = world.launch(bundle, "--grace", "2", TMPDIR=str(temporary))
    launch.wait_for(f"reader    | {fault.saw[-1] if fault.is_noticed else fault.saw[0]}")
    if fault.is_noticed and fault.report:
        launch.wait_for("; the other nodes go on")
    bundle.source("enough", "")
    assert launch.wait() == fault.exit_code, launch.err
    assert list(temporary.iterdir()) == []
    seen = [str(row["message"]) for row in launch.log("reader")]
    if fault.code in ORDERLY:
        # It closes its outputs before it ends, and the reader may have ended before anyone knows that it failed.
        seen = [what for what in seen if what != "NODE_FAILED fails"]
    assert tuple(seen) == fault.saw
    assert [row["message"] for row in launch.log("bystander")] == ["goes on"]
    findings = [line.partition(": ")[2] for line in launch.err.splitlines() if line.startswith("error[DF802]")]
    assert findings == ([fault.report] if fault.report else [])


def test_a_node_that_floods_a_slow_reader_harms_neither(world: Any) -> None:
    bundle = world.bundle()
    floods = """
        import time
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            deadline = time.monotonic() + 1.0
            sent = 0
            while time.monotonic() < deadline:
                node.send_output("out", b"x" * 50_000)
                sent += 1
            print("sent", sent, "undelivered", sum(node.undelivered.values()), flush=True)
    """
    slow = """
        import time
        from doraflow_runtime.node_api.node import Node
        count = 0
        with Node() as node:
            for event in node:
                count += event.type == "INPUT"
                time.sleep(0.02)
            print("read", count, "dropped", sum(node.dropped.values()), flush=True)
    """
    bundle.node("floods", floods, outputs=("out",))
    bundle.node("slow", slow, inputs={"in": "floods/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    (_, sent, _, undelivered) = launch.log("floods")[0]["message"].split()
    (_, read, _, dropped) = launch.log("slow")[0]["message"].split()
    assert int(sent) == int(undelivered) + int(read) + int(dropped)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_launcher_that_is_ended_takes_every_node_with_it_also_those_about_to_start_again(
    world: Any, number: signal.Signals, eventually: Any
) -> None:
    bundle = world.bundle()
    fails = HEAD.replace("BREAK", "os._exit(1)")
    bundle.node("fails", fails, inputs=TICK, outputs=("out",), restart_policy="always", restart_delay=0.05)
    bundle.node("reader", READS, inputs={"in": "fails/out"})
    bundle.node("stubborn", HEAD.replace("BREAK", "signal.signal(15, signal.SIG_IGN); time.sleep(60)"), inputs=TICK)
    bundle.nodes[2] = replace(bundle.nodes[2], outputs=bundle.nodes[0].outputs)
    temporary = world.folder / "temporary"
    temporary.mkdir()
    launch = world.launch(bundle, "--grace", "0.3", TMPDIR=str(temporary))
    launch.wait_for("(restart 3)")
    launch.signal(number)
    assert launch.wait() == (1 if number is signal.SIGTERM else -signal.SIGKILL)
    eventually(lambda: not world.processes() and not world.runs(), "something is left")
    assert list(temporary.iterdir()) == []


def test_a_failure_that_follows_from_another_says_so(world: Any) -> None:
    bundle = world.bundle()
    gives_up = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            for event in node:
                if event.type == "INPUT":
                    node.send_output("out", b"x")
                if event.type == "INPUT_CLOSED":
                    raise RuntimeError(f"no more of {event.id}")
    """
    bundle.node("first", HEAD.replace("BREAK", "os._exit(3)"), inputs=TICK, outputs=("out",))
    bundle.node("second", gives_up, inputs={"in": "first/out"}, outputs=("out",))
    bundle.node("third", gives_up, inputs={"in": "second/out"}, outputs=("out",))
    launch = world.launch(bundle, "--output", "json")
    assert launch.wait() == 1
    (first, *others) = [(line["node"], line["cause"]) for line in launch.events("diagnostic")]
    assert (first, sorted(others)) == (("first", ""), [("second", "first"), ("third", "first")])
    assert "(what feeds it had failed, beginning with `first`: this may follow from that)" in launch.out


@pytest.mark.parametrize("end", ["os._exit(3)", "raise RuntimeError('no lens')", "os.kill(os.getpid(), 9)"])
def test_a_reader_that_something_else_feeds_is_told_of_the_failure_once(world: Any, end: str) -> None:
    bundle = world.bundle()
    reads = """
        from doraflow_runtime.node_api.dora import Node

        awaited = {"NODE_FAILED", "INPUT_CLOSED"}
        for event in Node():
            if event["type"] in ("NODE_FAILED", "INPUT_CLOSED"):
                awaited.remove(event["type"])  # twice would be an error
                print(event["type"], event["id"], event.get("value"), flush=True)
            elif not awaited:
                break
    """
    bundle.node("fails", HEAD.replace("BREAK", end), inputs=TICK, outputs=("out",))
    bundle.node("reader", reads, inputs={"one": "fails/out", **TICK})
    launch = world.launch(bundle)
    assert launch.wait() == 1, launch.err
    how = {
        "os._exit(3)": "failed with exit code 3",
        "raise RuntimeError('no lens')": "failed with exit code 1: RuntimeError: no lens",
        "os.kill(os.getpid(), 9)": "was killed by SIGKILL",
    }[end]
    value = {"source_node_id": "fails", "error": how, "affected_input_ids": ["one"]}
    told = {str(row["message"]) for row in launch.log("reader")}
    assert told == {f"NODE_FAILED fails {value}", "INPUT_CLOSED one None"}
