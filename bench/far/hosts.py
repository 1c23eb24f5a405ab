"""Two hosts on one machine, joined by a cable: network namespaces with a veth pair, each with a `/dev/shm` of its own.

They have one clock, so that a latency from one to the other can be told. Nothing here knows what runs on them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.command import PlaceError
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from bench.flow import Flow

NEAR, FAR = "near", "far"
ADDRESSES: Mapping[str, str] = MappingProxyType({NEAR: "10.98.0.1", FAR: "10.98.0.2"})
PORT = 29_500
"""Where the sender listens, of peers that let the benchmark choose it."""

_OWN_MEMORY = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"'
"""What a host does before all else. No peer can then take what both see in shared memory for a link between hosts."""


class Hosts:
    """The two hosts, there while the context is entered."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(3)

    def __enter__(self) -> None:
        """Make them. Raises PlaceError."""
        if os.geteuid() != 0:
            raise PlaceError("hosts are made of network namespaces, which takes root: start this as root")
        if shutil.which("ip") is None:
            raise PlaceError("hosts are made of network namespaces, which takes the command `ip` (package iproute2)")
        try:
            self._build()
        except PlaceError:
            self._remove()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take them away."""
        self._remove()

    def inside(self, host: str, command: Command) -> Command:
        """Say how a command is run on a host."""
        shell = ("sh", "-c", _OWN_MEMORY, host)
        arguments = ("ip", "netns", "exec", self._namespace(host), *shell, *command.arguments)
        return Command(arguments, command.environment)

    def _namespace(self, host: str) -> str:
        return f"dfbench{self._token}{host}"

    def _build(self) -> None:
        near, far = self._namespace(NEAR), self._namespace(FAR)
        for name in (near, far):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", near, "link", "add", "eth", "type", "veth", "peer", "name", "eth", "netns", far)
        for host, address in ADDRESSES.items():
            _ip("-n", self._namespace(host), "address", "add", f"{address}/24", "dev", "eth")
            _ip("-n", self._namespace(host), "link", "set", "eth", "up")

    def _remove(self) -> None:
        for host in ADDRESSES:
            subprocess.run(["ip", "netns", "del", self._namespace(host)], capture_output=True, check=False)


def placed(flow: Flow) -> dict[str, str]:
    """Put the first node of a flow on the near host, and all that read from it on the far one.

    >>> from bench.flow import Vertex, flow
    >>> placed(flow("latency", [Vertex("source", "pacer"), Vertex("sink", "clock", "source")], ["sink"]))
    {'source': 'near', 'sink': 'far'}
    """
    return {node.id: NEAR if node.reads is None else FAR for node in flow.nodes}


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PlaceError(f"hosts cannot be made here: `ip {' '.join(arguments)}`: {done.stderr.strip()}")
