"""Hosts made of network namespaces: each has an address of its own on a bridge that has a namespace as well.

Nothing of it shows outside, and all of it goes with the namespaces. A cable can be pulled and put back, or replaced by
one that disturbs what passes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e import disturbance as disturbance_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.disturbance import Disturbance

SUBNET = "10.99.0"

NAMES = Path("/etc/netns")
"""Where ip-netns looks for what a namespace has in the place of files of /etc."""


@dataclass
class Network:
    """Hosts by name, each with its namespace; the bridge is in one of its own."""

    token: str = field(default_factory=lambda: secrets.token_hex(3))
    hosts: dict[str, int] = field(default_factory=dict)
    cables: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def bridge(self) -> str:
        return f"df{self.token}br"

    def namespace(self, host: str) -> str:
        return f"df{self.token}h{self.hosts[host]}"

    def address(self, host: str) -> str:
        return f"{SUBNET}.{self.hosts[host]}"

    def cable(self, host: str) -> str:
        """The end of a host's cable that is in the bridge's namespace."""
        return f"port{self.hosts[host]}"

    def build(self, names: tuple[str, ...]) -> None:
        ip("netns", "add", self.bridge)
        ip("-n", self.bridge, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.bridge, "link", "set", "bridge", "up")
        for number, name in enumerate(names, start=1):
            self.hosts[name] = number
            inside = self.namespace(name)
            ip("netns", "add", inside)
            ip("-n", inside, "link", "set", "lo", "up")
            peer = ("peer", "name", "eth", "netns", inside)
            ip("-n", self.bridge, "link", "add", self.cable(name), "type", "veth", *peer)
            ip("-n", self.bridge, "link", "set", self.cable(name), "master", "bridge", "up")
            ip("-n", inside, "address", "add", f"{self.address(name)}/24", "dev", "eth")
            ip("-n", inside, "link", "set", "eth", "up")

    def cut(self, host: str) -> None:
        """Pull the cable of a host."""
        ip("-n", self.bridge, "link", "set", self.cable(host), "down")

    def mend(self, host: str) -> None:
        """Put the cable back."""
        ip("-n", self.bridge, "link", "set", self.cable(host), "up")

    def kill(self, host: str) -> None:
        """Take the power from a host: all its processes are gone at once."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self.namespace(host)], capture_output=True, text=True, check=True
        )
        for process in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)

    def disturb(self, host: str, disturbance: Disturbance) -> None:
        """Give a host another cable, which disturbs what the host sends."""
        number, inside = self.hosts[host], self.namespace(host)
        ends = (f"near{number}", f"far{number}")
        program = [sys.executable, disturbance_program.__file__, *ends, *disturbance.arguments()]
        command = ["ip", "netns", "exec", self.bridge, *program]
        cable = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.cables.append(cable)
        if cable.stdout is None or cable.stdout.readline() != b"ready\n":
            raise OSError("the cable ended at once")
        ip("-n", self.bridge, "link", "del", self.cable(host))
        ip("-n", self.bridge, "link", "set", ends[0], "name", self.cable(host))
        ip("-n", self.bridge, "link", "set", self.cable(host), "master", "bridge", "up")
        ip("-n", self.bridge, "link", "set", ends[1], "netns", inside)
        ip("-n", inside, "link", "set", ends[1], "name", "eth")
        ip("-n", inside, "address", "add", f"{self.address(host)}/24", "dev", "eth")
        ip("-n", inside, "link", "set", "eth", "up")

    def command(self, host: str, *arguments: str) -> list[str]:
        """Say how to run a command on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *arguments]

    def write_names(self, host: str, text: str) -> None:
        """Give a host names of its own, in the form of /etc/hosts; to be called before anything runs there as well."""
        place = NAMES / self.namespace(host)
        place.mkdir(parents=True, exist_ok=True)
        (place / "hosts").write_text(text)

    def remove(self) -> None:
        for cable in self.cables:
            cable.communicate(timeout=30)  # which ends with its input
        for name in [*(self.namespace(host) for host in self.hosts), self.bridge]:
            shutil.rmtree(NAMES / name, ignore_errors=True)
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def skip(reason: str) -> None:
    """Skip a test for a reason, but not where all tests have to run."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to run this test: {reason}")
    pytest.skip(reason)


@contextlib.contextmanager
def network_of(*names: str) -> Iterator[Network]:
    """Make hosts that reach one another; they are gone afterwards, whatever happens."""
    if os.geteuid() != 0:
        skip("network namespaces take root")
    if shutil.which("ip") is None:
        skip("network namespaces take the command `ip`")
    made = Network()
    try:
        try:
            made.build(names)
        except OSError as error:
            skip(f"network namespaces cannot be made here: {error}")
        yield made
    finally:
        made.remove()
