"""Another user of the machine, at the folder of a run that goes on: every socket there stays out of reach."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.another_user import as_nobody
from tests.e2e.operated import counting, doraflow

ATTEMPT = """
import json, os, socket, sys

def attempt(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"

def connect(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)

folder, *sockets = sys.argv[1:]
print(json.dumps([attempt(lambda: os.listdir(folder)), *(attempt(lambda: connect(path)) for path in sockets)]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_lists_nothing_and_connects_to_nothing_of_a_run(world: Any) -> None:
    launch = counting(world)
    looking = subprocess.Popen(
        [sys.executable, "-m", "doraflow", "inspect", "source/small"],
        env={**world.environment, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert looking.stdout is not None
        assert select.select([looking.stdout], [], [], 60)[0], "nothing was shown"
        assert looking.stdout.readline()  # a tap has its socket by now
        folder = world.base / world.runs()[0]
        sockets = sorted(path for path in folder.iterdir() if path.is_socket())
        kinds = {path.stem.partition("-")[0] for path in sockets}
        assert kinds >= {"control", "launcher", "tap", "n1"}
        assert as_nobody(ATTEMPT, str(folder), *map(str, sockets)) == ["PermissionError"] * (1 + len(sockets))
    finally:
        looking.send_signal(signal.SIGINT)
        looking.communicate(timeout=30)
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0
