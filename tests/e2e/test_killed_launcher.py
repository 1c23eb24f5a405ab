"""The launcher killed in a way that it cannot handle: nothing of the run may be left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TICKING = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            print(event.type)
"""
TIMER = {"tick": "dora/timer/millis/20"}
CHILDREN = "(trap '' TERM INT HUP; sleep 1000) & (trap '' TERM INT HUP; sleep 1000) & echo started; wait"


DAEMON = """
    import subprocess, time
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print("started", flush=True)
    time.sleep(1000)
"""

FORKED_DAEMON = """
    import os, time
    if os.fork() == 0:
        os.setsid()
        print("started", flush=True)
    time.sleep(1000)
"""


def running(world: Any) -> tuple[Any, Any]:
    """Launch a node of our own and one that has children."""
    bundle = world.bundle()
    bundle.node("python", TICKING, inputs=TIMER)
    bundle.node("family", path="shell", kind="shell", args=(CHILDREN,))
    launch = world.launch(bundle, "--grace", "0.5")
    launch.wait_for("python | INPUT")
    launch.wait_for("family | started")
    return bundle, launch


def test_nothing_is_left_when_the_launcher_is_killed(world: Any, eventually: Any) -> None:
    _, launch = running(world)
    assert len(world.runs()) == 1
    launch.signal(signal.SIGKILL)
    launch.wait()
    eventually(lambda: not world.processes(), "a process is left")
    assert world.runs() == []


@pytest.mark.parametrize(("code", "spawn"), [(DAEMON, "exec"), (DAEMON, "fork"), (FORKED_DAEMON, "fork")])
def test_what_has_left_its_group_ends_with_a_killed_launcher_too(
    world: Any, eventually: Any, code: str, spawn: str
) -> None:
    bundle = world.bundle()
    for name in ("daemon", "other"):
        bundle.node(name, code, spawn=spawn)
    launch = world.launch(bundle)
    launch.wait_for("daemon | started")
    launch.wait_for("other  | started")
    launch.signal(signal.SIGKILL)
    launch.wait()
    eventually(lambda: not world.processes(), "a process is left")


def test_the_next_run_sweeps_when_launcher_and_guardian_are_killed(world: Any, eventually: Any) -> None:
    bundle, launch = running(world)
    guardian = world.guardian_of(launch)
    os.kill(guardian, signal.SIGKILL)
    launch.wait_for("the guardian of this run was killed")
    launch.signal(signal.SIGKILL)
    launch.wait()
    left = world.runs()
    assert len(left) == 1
    assert any("sleep" in command for command in world.processes().values())
    again = world.launch(bundle, "--grace", "0.5")
    again.wait_for("python | INPUT")
    eventually(lambda: left[0] not in world.runs(), "the stale run is left")
    again.signal(signal.SIGINT)
    assert again.wait() == 0


def test_a_killed_launcher_keeps_no_pipe_of_its_caller_open(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("python", TICKING, inputs=TIMER)
    bundle.write()
    command = [sys.executable, str(bundle.path / "launch_local.py"), "--no-verify"]
    with subprocess.Popen(command, env=world.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        while b"python | INPUT" not in process.stdout.readline():
            pass
        process.kill()
        process.stdout.read()  # returns only when nobody holds the other end any more


def test_the_guardian_ends_promptly_with_an_ordinary_run_and_ignores_signals(world: Any, eventually: Any) -> None:
    _, launch = running(world)
    guardian = world.guardian_of(launch)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guardian, number)
    held = [str(entry.readlink()) for entry in Path(f"/proc/{guardian}/fd").iterdir()]
    assert sorted(target.partition(":")[0] for target in held) == ["/dev/null"] * 3 + ["pipe"]
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0
    eventually(lambda: guardian not in world.processes(), "the guardian is left")


def test_two_runs_of_one_bundle_do_not_disturb_each_other(world: Any, eventually: Any) -> None:
    bundle = world.bundle()
    bundle.node("python", TICKING, inputs=TIMER)
    first, second = world.launch(bundle), world.launch(bundle)
    first.wait_for("python | INPUT")
    second.wait_for("python | INPUT")
    assert len(world.runs()) == 2
    first.signal(signal.SIGINT)
    assert first.wait() == 0
    assert len(world.runs()) == 1
    before = second.out.count("INPUT")
    eventually(lambda: second.out.count("INPUT") > before + 3, "the second run has come to a halt")
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
