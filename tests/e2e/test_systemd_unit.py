"""A unit as systemd would run it: its commands, with its environment and folders, where nothing else can be written."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FLOW = """
name: ticking
nodes:
  - {id: ticker, path: ticker.py, inputs: {tick: dora/timer/millis/50}}
"""
TICKER = """
import os
from pathlib import Path
from doraflow_runtime.node_api.node import Node
kept = Path.home() / "kept"
kept.write_text("state")
try:
    (Path(__file__).parent / "beside").write_text("x")
except OSError as error:
    print("refused:", error.strerror, flush=True)
with Node() as node:
    for event in node:
        pass
"""
CONFINED = """
set -e
mount --make-rprivate /
for folder in "$RUNTIME_FOLDERS" "$STATE" "$CACHE"; do mount --bind "$folder" "$folder"; done
mount -o remount,bind,ro /
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
"""


def can_confine() -> bool:
    """Tell whether this user may make mounts of his own."""
    tried = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            "mount --make-rprivate / && mount -o remount,bind,ro / && setpriv --version",
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return tried.returncode == 0


class Unit:
    """A unit file with its specifiers filled in, for a machine whose folders lie below `root`."""

    def __init__(self, path: Path, root: Path, bundle: Path) -> None:
        self.root = root
        text = path.read_text()
        for specifier, folder in (("%t", "run"), ("%S", "state"), ("%C", "cache")):
            text = text.replace(specifier, str(root / folder))
        self.text = text.replace("/opt/doraflow/ticking/bundle", str(bundle))

    def all(self, name: str) -> list[str]:
        return re.findall(rf"(?m)^{name}=(.*)$", self.text)

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    def folder(self, kind: str) -> Path:
        """Make the folder that systemd makes for the unit."""
        places = {"Runtime": "run", "State": "state", "Cache": "cache"}
        made = self.root / places[kind] / self.one(f"{kind}Directory")
        made.mkdir(parents=True, mode=int(self.one(f"{kind}DirectoryMode"), 8))
        return made

    def environment(self, world: Any) -> dict[str, str]:
        """What the service gets: the unit's own, and the mark by which the test finds what is left over."""
        given = dict(line.split("=", 1) for line in self.all("Environment"))
        mark = {name: value for name, value in world.environment.items() if name == "DORAFLOW_TEST"}
        # /usr/bin/env finds the interpreter of the virtual environment, which here is the test's own.
        return {**given, **mark, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}


@pytest.fixture
def unit(world: Any) -> Unit:
    project = world.folder / "project"
    project.mkdir()
    (project / "flow.yml").write_text(FLOW)
    (project / "ticker.py").write_text(TICKER)
    bundle = world.folder / "bundle"
    subprocess.run(
        [sys.executable, "-m", "doraflow", "build", "flow.yml", "-o", str(bundle), "--target", "systemd"],
        cwd=project,
        env={**os.environ, "XDG_CACHE_HOME": str(world.folder / "cache")},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return Unit(bundle / "targets/systemd/system/ticking-local.service", world.folder / "machine", bundle)


def wait_for(manager: socket.socket, wanted: str) -> None:
    while wanted not in manager.recv(4096).decode().split("\n"):
        pass


@pytest.mark.skipif(not can_confine(), reason="this user may make no mounts of his own")
def test_the_service_starts_is_ready_keeps_to_its_folders_and_stops_in_time(world: Any, unit: Unit) -> None:
    folders = {kind: unit.folder(kind) for kind in ("Runtime", "State", "Cache")}
    seconds = int(unit.one("WatchdogSec"))
    out = (world.folder / "out").open("wb")
    with out, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        address = str(folders["Runtime"].parent / "notify")
        manager.bind(address)
        manager.settimeout(60)
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", CONFINED, "sh", *shlex.split(unit.one("ExecStart"))],
            cwd="/",
            env={
                **unit.environment(world),
                "NOTIFY_SOCKET": address,
                "WATCHDOG_USEC": str(seconds * 1_000_000),
                "RUNTIME_FOLDERS": str(folders["Runtime"].parent),
                "STATE": str(folders["State"]),
                "CACHE": str(folders["Cache"]),
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(manager, "READY=1")
            assert len(list(folders["Runtime"].iterdir())) == 1
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(int(unit.one("TimeoutStopSec")))
    said = (world.folder / "out").read_text()
    assert code == 0, said
    assert "ticker | refused: Read-only file system" in said
    assert (folders["State"] / "kept").read_text() == "state"
    assert list(folders["State"].glob("doraflow/ticking/*/ticker.jsonl"))
    assert list(folders["Runtime"].iterdir()) == []
