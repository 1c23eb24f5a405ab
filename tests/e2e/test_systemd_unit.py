"""Units as systemd runs them: their commands, their environment and folders, where nothing else can be written."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import commands
from tests.e2e.network import network_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOW = """
name: ticking
nodes:
  - {id: ticker, path: ticker.py, inputs: {tick: dora/timer/millis/50}}
"""
TICKER = """
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
PAIR = """
name: pair
nodes:
  - {id: sender, path: sender.py, inputs: {tick: dora/timer/millis/50}, outputs: [x], deploy: {machine: left}}
  - {id: reader, path: reader.py, inputs: {x: sender/x}, deploy: {machine: right}}
"""
SENDER = """
from dora import Node
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            node.send_output("x", b"hello")
"""
READER = """
from dora import Node
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            print("got a message", flush=True)
"""
CONFINED = """
set -e
mount --make-rprivate /
for folder in $FOLDERS; do mount --bind "$folder" "$folder"; done
mount -o remount,bind,ro /
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
"""
PLACES = {"Runtime": "run", "State": "state", "Cache": "cache"}


def can_confine() -> bool:
    """Tell whether this user may make mounts of his own."""
    alone = "mount --make-rprivate / && mount -o remount,bind,ro / && setpriv --version"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", alone], capture_output=True, check=False, timeout=60)
    return tried.returncode == 0


confined = pytest.mark.skipif(
    not can_confine() and not os.environ.get("CI"), reason="this user may make no mounts of his own"
)


class Unit:
    """A unit file with its specifiers filled in, for a machine whose folders lie below `root`."""

    def __init__(self, path: Path, root: Path, bundle: Path) -> None:
        self.root = root
        text = path.read_text()
        for specifier, folder in (("%t", "run"), ("%S", "state"), ("%C", "cache")):
            text = text.replace(specifier, str(root / folder))
        text = re.sub(r"/opt/doraflow/[a-z-]+/[a-z-]+/current", str(bundle), text)
        self.text = text.replace("/etc/doraflow/keys", str(root / "etc"))

    def all(self, name: str) -> list[str]:
        return re.findall(rf"(?m)^{name}=(.*)$", self.text)

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    def folders(self, kind: str) -> list[Path]:
        return [self.root / PLACES[kind] / name for name in self.one(f"{kind}Directory").split()]

    def make_folders(self) -> None:
        """Make the folders that systemd makes for the unit."""
        for kind in PLACES:
            for folder in self.folders(kind):
                folder.mkdir(parents=True, mode=int(self.one(f"{kind}DirectoryMode"), 8))

    def hand_over_keys(self) -> dict[str, str]:
        """Lay down the credentials as systemd does; the variable that says where."""
        handed = self.root / "credentials"
        handed.mkdir(mode=0o700)
        instead = dict(line.split(":", 1) for line in self.all("SetCredential"))
        for name, source in (line.split(":", 1) for line in self.all("LoadCredential")):
            is_there = Path(source).exists() or name not in instead
            (handed / name).write_bytes(Path(source).read_bytes() if is_there else instead[name].encode())
            (handed / name).chmod(0o440)
        return {"CREDENTIALS_DIRECTORY": str(handed)}

    def environment(self, world: Any) -> dict[str, str]:
        """What the service gets: the unit's own, and the mark by which the test finds what is left over."""
        given = dict(line.strip('"').split("=", 1) for line in self.all("Environment"))
        mark = {name: value for name, value in world.environment.items() if name == "DORAFLOW_TEST"}
        # /usr/bin/env finds the interpreter of the virtual environment, which here is the test's own.
        return {**given, **mark, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}


@dataclass
class Service:
    """A unit that runs."""

    unit: Unit
    process: subprocess.Popen[bytes]
    manager: socket.socket
    out: Path

    def wait_for(self, wanted: str) -> None:
        """Wait until the service has told its manager so."""
        while wanted not in self.manager.recv(4096).decode().split("\n"):
            pass

    def stop(self) -> int:
        """Stop it as systemd does, within the time that the unit gives; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(int(self.unit.one("TimeoutStopSec")))


def words_of(line: str) -> list[str]:
    """Read a command of a unit as systemd does, whose `$$` is one for the shell."""
    return [word.replace("$$", "$") for word in shlex.split(line.removeprefix("+"))]


@contextlib.contextmanager
def running(world: Any, unit: Unit, *prefix: str, **more: str) -> Iterator[Service]:
    """Run the commands of a unit, where nothing but its own folders can be written."""
    unit.make_folders()
    environment = {**unit.environment(world), **more, **unit.hand_over_keys()}
    for line in unit.all("ExecStartPre"):
        subprocess.run(words_of(line), env=environment, check=True, timeout=60)
    address = unit.root / "notify"
    out = unit.root / "out"
    places = [*unit.folders("Runtime"), *unit.folders("State"), *unit.folders("Cache")]
    started = {
        **environment,
        "NOTIFY_SOCKET": str(address),
        "WATCHDOG_USEC": str(int(unit.one("WatchdogSec")) * 1_000_000),
        "FOLDERS": " ".join(map(str, places)),
    }
    with out.open("wb") as written, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(60)
        command = ["unshare", "--mount", "sh", "-c", CONFINED, "sh", *words_of(unit.one("ExecStart"))]
        process = subprocess.Popen(
            [*prefix, *command],
            cwd="/",
            env=started,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Service(unit, process, manager, out)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)


def built(world: Any, flow: str, **nodes: str) -> Path:
    """Build a bundle with its units."""
    project, bundle = world.folder / "project", world.folder / "bundle"
    project.mkdir()
    (project / "flow.yml").write_text(flow)
    for name, code in nodes.items():
        (project / f"{name}.py").write_text(code)
    doraflow(world, "build", "flow.yml", "-o", str(bundle), "--target", "systemd")
    return bundle


def doraflow(world: Any, *arguments: str) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(world.folder / "cache")}
    done = commands.doraflow(*arguments, cwd=world.folder / "project", env=environment)
    assert done.returncode == 0, done.stderr


@confined
def test_a_service_is_ready_keeps_to_its_folders_and_stops_in_time(world: Any) -> None:
    bundle = built(world, FLOW, ticker=TICKER)
    unit = Unit(bundle / "targets/systemd/system/ticking-local.service", world.folder / "machine", bundle)
    with running(world, unit) as service:
        service.wait_for("READY=1")
        (runs,) = unit.folders("Runtime")
        assert len(list(runs.iterdir())) == 1
        code = service.stop()
    said = service.out.read_text()
    assert code == 0, said
    assert "ticker | refused: Read-only file system" in said
    (state,) = unit.folders("State")
    assert (state / "kept").read_text() == "state"
    assert list(state.glob("doraflow/ticking/*/ticker.jsonl"))
    assert list(runs.iterdir()) == []


@confined
def test_the_units_of_two_hosts_talk_with_the_keys_that_they_are_handed(world: Any, eventually: Any) -> None:
    bundle = built(world, PAIR, sender=SENDER, reader=READER)
    keys = world.folder / "keys"
    doraflow(world, "keys", "make", "flow.yml", "--keys", str(keys))
    with network_of("left", "right") as network, contextlib.ExitStack() as ending:
        services = {}
        for host, other in (("left", "right"), ("right", "left")):
            unit = Unit(bundle / f"targets/systemd/system/pair-{host}.service", world.folder / host, bundle)
            (unit.root / "etc").mkdir(parents=True)
            target = str(unit.root / "etc/pair")
            doraflow(world, "keys", "export", host, "--keys", str(keys), "--to", target)
            address = {f"DORAFLOW_ADDRESS_{other.upper()}": network.address(other)}
            services[host] = ending.enter_context(running(world, unit, *network.command(host), **address))
        for service in services.values():
            service.wait_for("READY=1")
        reader = services["right"]
        eventually(lambda: "reader | got a message" in reader.out.read_text(), "the reader got no message")
        # The reader's host first: without a sender it would end by itself, just when it is stopped.
        codes = [services[host].stop() for host in ("right", "left")]
    assert codes == [0, 0], [service.out.read_text() for service in services.values()]
