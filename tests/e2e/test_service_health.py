"""A launcher under supervision: what its service manager hears, and what `--check-health` says and exits with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

WAITING = """
    import os
    from doraflow_runtime.node_api.node import Node
    print("notify:", [name for name in os.environ if name.startswith(("NOTIFY_", "WATCHDOG_"))], flush=True)
    with Node() as node:
        for event in node:
            pass
"""
LATE = """
    import pathlib, time
    while not pathlib.Path({gate!r}).exists():
        time.sleep(0.02)
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            pass
"""
FAILING = """
    import pathlib, sys, time
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            if pathlib.Path({gate!r}).exists():
                sys.exit(3)
"""
TICK = {"tick": "dora/timer/millis/50"}


def check(world: Any, bundle: Any, *arguments: str, patience: float = 60) -> tuple[int, str]:
    """Ask a bundle's launch script for the health of its launcher; exit code and words."""
    done = subprocess.run(
        [sys.executable, str(bundle.path / "launch_local.py"), "--check-health", *arguments],
        env=world.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture
def manager(world: Any) -> Any:
    """A socket as systemd opens one for a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(str(world.folder / "notify"))
        opened.settimeout(30)
        yield opened


def wait_for(manager: Any, wanted: str) -> None:
    while wanted not in manager.recv(4096).decode().split("\n"):
        pass


def test_a_service_manager_hears_of_the_start_signs_of_life_and_the_end(world: Any, manager: Any) -> None:
    bundle = world.bundle()
    gate = world.folder / "gate"
    bundle.node("waiting", WAITING, inputs=TICK)
    bundle.node("late", LATE.format(gate=str(gate)), inputs=TICK)
    launch = world.launch(bundle, NOTIFY_SOCKET=str(world.folder / "notify"), WATCHDOG_USEC="400000")
    wait_for(manager, "STATUS=waiting for the nodes to join")
    wait_for(manager, "WATCHDOG=1")
    gate.touch()
    wait_for(manager, "READY=1")
    wait_for(manager, "WATCHDOG=1")
    launch.wait_for("waiting | notify: []")
    launch.signal(signal.SIGTERM)
    wait_for(manager, "STOPPING=1")
    assert launch.wait() == 0


def test_health_is_startup_then_live_and_ready_and_gone_with_the_run(world: Any) -> None:
    bundle = world.bundle()
    gate = world.folder / "gate"
    bundle.node("late", LATE.format(gate=str(gate)), inputs=TICK)
    bundle.write()
    nobody = (1, "doraflow: no launcher of this bundle runs on local\n")
    assert check(world, bundle) == nobody
    launch = world.launch(bundle)
    launch.wait_for("logs in")
    deadline = time.monotonic() + 30
    while (said := check(world, bundle, "live"))[0] and time.monotonic() < deadline:
        pass
    (run,) = world.runs()
    assert said == (0, f"doraflow: `{run}` is alive\n")
    assert check(world, bundle, "startup") == (1, f"doraflow: `{run}`: it is starting\n")
    assert check(world, bundle, "ready") == (1, f"doraflow: `{run}`: it is starting\n")
    gate.touch()
    while (said := check(world, bundle, "startup"))[0] and time.monotonic() < deadline:
        pass
    assert said == (0, f"doraflow: `{run}` is started\n")
    assert check(world, bundle) == (0, f"doraflow: `{run}` is ready\n")
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0
    assert check(world, bundle) == nobody


def test_a_run_with_a_node_that_failed_is_alive_and_not_ready(world: Any) -> None:
    bundle = world.bundle()
    gate = world.folder / "gate"
    bundle.node("waiting", WAITING, inputs=TICK)
    bundle.node("failing", FAILING.format(gate=str(gate)), inputs=TICK)
    launch = world.launch(bundle)
    launch.wait_for("waiting | notify")
    gate.touch()
    launch.wait_for("the other nodes go on")
    (run,) = world.runs()
    assert check(world, bundle, "live") == (0, f"doraflow: `{run}` is alive\n")
    assert check(world, bundle, "ready") == (1, f"doraflow: `{run}`: `failing` is failed\n")
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 1


def test_a_launcher_that_hangs_is_told_within_the_time_that_is_given(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("waiting", WAITING, inputs=TICK)
    launch = world.launch(bundle)
    launch.wait_for("waiting | notify")
    (run,) = world.runs()
    launch.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        code, said = check(world, bundle, "live", "--health-timeout", "0.5")
        assert (code, said[:40]) == (1, f"doraflow: `{run}` did not answer with"[:40])
        assert time.monotonic() - began < 30
    finally:
        launch.signal(signal.SIGCONT)
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


def test_another_bundle_is_not_meant(world: Any) -> None:
    first, second = world.bundle("first"), world.bundle("second")
    first.node("waiting", WAITING, inputs=TICK)
    second.node("waiting", WAITING, inputs=TICK)
    second.write()
    launch = world.launch(first)
    launch.wait_for("waiting | notify")
    assert check(world, first, "live")[0] == 0
    assert check(world, second, "live")[0] == 1
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


def test_an_unknown_level_is_wrong_usage(world: Any) -> None:
    bundle = world.bundle()
    bundle.write()
    done = subprocess.run(
        [sys.executable, str(bundle.path / "launch_local.py"), "--check-health", "well"],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice: 'well'" in done.stderr
