"""`doraflow run` as a process: interrupted, ended, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import World

FLOW = "nodes:\n  - {id: quiet, path: quiet.py, inputs: {tick: dora/timer/millis/50}}\n"
QUIET = """
from dora import Node
ticks = 0
for event in Node():
    if event["type"] == "STOP":
        print("stopped", event["id"], flush=True)
    elif ticks == 0:
        ticks += 1
        print("here", flush=True)  # not before it has joined: a stop during the start is another matter
"""


def start(world: World, folder: Path) -> subprocess.Popen[str]:
    (folder / "flow.yml").write_text(FLOW)
    (folder / "quiet.py").write_text(QUIET)
    process = subprocess.Popen(
        [sys.executable, "-m", "doraflow", "run", "flow.yml"],
        cwd=folder,
        env={**world.environment, "XDG_CACHE_HOME": str(folder / "cache")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "quiet | here\n"
    return process


@pytest.mark.parametrize("how", ["Ctrl-C in the terminal", "SIGTERM to the command"])
def test_a_stop_is_clean_and_exits_0(world: World, how: str) -> None:
    process = start(world, world.folder)
    if how.startswith("Ctrl-C"):
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out == "quiet | stopped MANUAL\n"
    assert "Traceback" not in err


def test_nothing_is_left_when_the_command_is_killed(world: World, eventually: Callable[..., None]) -> None:
    process = start(world, world.folder)
    process.kill()
    process.communicate(timeout=60)  # to the end of what the launcher and the node write
    eventually(lambda: not world.processes(), f"processes are left: {world.processes()}")
    assert world.runs() == []
