"""A world for deploys: a project with its hosts, SSH servers on loopback for them, and a look around at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import textwrap
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import commands
from tests.deploy.servers import PATIENCE, SSHD, Server, keys, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

TYPINGS = Path(__file__).resolve().parents[2] / "typings"
MARK = "DORAFLOW_DEPLOY_TEST"
TICKING = """\
from doraflow_runtime.node_api.node import Node

with Node() as node:
    for event in node:
        print(event.type, flush=True)
"""


@dataclass
class World:
    """A project in `folder`, and what reaches its hosts."""

    folder: Path
    key: Path
    stack: contextlib.ExitStack
    servers: dict[str, Server] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The dataflow's folder."""
        return self.folder / "project"

    def serve(self, name: str, **environment: str) -> Server:
        """Start a server, and make it a host of the inventory whose key is known."""
        marked = {MARK: str(self.folder), **environment}
        server = self.stack.enter_context(
            serving(self.folder / "servers" / name, self.key.with_suffix(".pub"), **marked)
        )
        self.servers[name] = server
        self.settings[name] = {"ssh": server.destination}
        self._know(server.known_key())
        return server

    def reach(self, name: str, port: int) -> None:
        """Let the inventory name another port for a host whose server is known already."""
        server = self.servers[name]
        relayed = replace(server, port=port)
        self.settings[name]["ssh"] = relayed.destination
        self._know(relayed.known_key())
        self.write_inventory()

    def _know(self, key: str) -> None:
        with (self.folder / "known_hosts").open("a") as known:
            known.write(key)

    def write(self, *hosts: str, more: str = "") -> None:
        """Write a dataflow with a node on each host, and the inventory."""
        self.project.mkdir(exist_ok=True)
        nodes = []
        for host in hosts:
            (self.project / f"{host}_node.py").write_text(TICKING)
            nodes.append(
                f"  - id: {host}_node\n    path: {host}_node.py\n    deploy: {{machine: {host}}}\n"
                f"    inputs: {{tick: dora/timer/millis/50}}\n"
            )
        (self.project / "flow.yml").write_text(
            "name: flow\nnodes:\n" + "".join(nodes) + textwrap.indent(textwrap.dedent(more), "  ")
        )
        self.write_inventory()

    def write_inventory(self) -> None:
        """Write the inventory: JSON is YAML."""
        (self.project / "hosts.yml").write_text(json.dumps({"hosts": self.settings}))

    def deploy(self, *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        words = self.words(*arguments)
        return commands.doraflow(*words, cwd=self.project, env=self.environment(), timeout=timeout)

    def report(self, *arguments: str) -> dict[str, Any]:
        """Run the command, which must go well, and give the hosts of its report by name."""
        done = self.deploy(*arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return {row["host"]: row for row in json.loads(done.stdout)["hosts"]}

    def command(self, *arguments: str) -> list[str]:
        """Write the call of the command, for a process that the test holds on to."""
        return [sys.executable, "-m", "doraflow", *self.words(*arguments)]

    def words(self, *arguments: str) -> list[str]:
        """Write the command with the options by which it finds its way."""
        reach = ["--inventory", "hosts.yml", "--ssh-config", str(self.folder / "ssh_config")]
        python = [] if "--python" in arguments else ["--python", sys.executable]
        return ["deploy", "flow.yml", *reach, *python, *arguments]

    def environment(self) -> dict[str, str]:
        """Give the environment of the command."""
        return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "HOME": str(self.folder)}


def processes_of(folder: Path) -> list[int]:
    """List the living processes that a login to one of the servers has started."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return found


def eventually(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if SSHD is None or shutil.which("ssh") is None:
        if os.environ.get("CI"):
            pytest.fail("sshd and ssh are needed: install openssh-server and openssh-client")
        pytest.skip("sshd or ssh is not installed: install openssh-server and openssh-client")
    key = keys(tmp_path, "key")
    lines = [
        f"IdentityFile {key}",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        f"UserKnownHostsFile {tmp_path / 'known_hosts'}",
        "GlobalKnownHostsFile /dev/null",
    ]
    (tmp_path / "ssh_config").write_text("\n".join(lines) + "\n")
    with contextlib.ExitStack() as stack:
        yield World(tmp_path, key, stack)
    left = processes_of(tmp_path)
    gone = eventually(lambda: not processes_of(tmp_path))
    for process in processes_of(tmp_path):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(process, signal.SIGKILL)
    assert gone, f"processes are left: {left}"
