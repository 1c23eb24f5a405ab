"""Another user of the machine sees nothing of a run: no names, no sockets, no memory; open modes do not help."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.another_user import as_nobody

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

INTRUDE = """
import json, os, socket, sys
folder, process = sys.argv[1:]

def attempt(act):
    try:
        return act()
    except OSError as error:
        return type(error).__name__

def talk(name):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(f"{folder}/{name}")
        sock.sendall(b'{"type": "stop_all"}' + bytes(100))
        return sock.recv(100).decode() or "hung up"

def memory():
    names = os.listdir(f"/proc/{process}/fd")
    return [os.open(f"/proc/{process}/fd/{name}", os.O_RDONLY) for name in names] and "mapped"

print(json.dumps({
    "list": attempt(lambda: len(os.listdir(folder)) and "listed"),
    "config": attempt(lambda: open(f"{folder}/nodes/0.json").read()),
    "node": attempt(lambda: talk("n1.sock")),
    "launcher": attempt(lambda: talk("launcher.sock")),
    "memory": attempt(memory),
}))
"""


def intrude(run: Run) -> dict[str, str]:
    """Try everything as another user; the interpreter is one that this user may run."""
    told: dict[str, str] = as_nobody(INTRUDE, str(run.directory), str(os.getpid()))
    return told


def test_another_user_cannot_list_connect_or_map(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", bytes(100_000))
    assert intrude(run) == dict.fromkeys(("list", "config", "node", "launcher", "memory"), "PermissionError")
    event = b.next(5)
    assert event is not None
    assert event.type == "INPUT"


def test_a_node_hangs_up_on_another_user_even_where_every_mode_is_open(
    run: Run,
) -> None:
    run.pair()
    a, b = run.join("a", "b")
    run.directory.chmod(0o777)
    for path in run.directory.iterdir():
        path.chmod(0o777)
    a.send_output("out", b"met")
    assert b.next(5) is not None
    gc.collect()  # what tests before have left must not go just now
    before = len(list(Path("/proc/self/fd").iterdir()))
    with ThreadPoolExecutor(1) as threads:
        intruding = threads.submit(intrude, run)
        while not intruding.done():
            assert b.next(0.05) is None
        told = intruding.result()
    assert told["list"] == "listed"
    assert told["node"] in ("hung up", "ConnectionResetError", "BrokenPipeError")
    assert told["memory"] == "PermissionError"
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    a.send_output("out", b"still here")
    event = b.next(5)
    assert event is not None
    assert event.value is not None
