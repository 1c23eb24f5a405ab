"""A run without a launcher: a folder, configurations, and a thread that plays the launcher's part."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.codec import to_json
from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    Fabric,
    InputWiring,
    Link,
    NodeConfig,
    NodeWiring,
    OperatorWiring,
    OutgoingLink,
    OutputWiring,
)
from doraflow_runtime.node_api.joining import CONFIG_VARIABLE
from doraflow_runtime.node_api.node import Node

from tests.ports import held_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


@dataclass
class Run:
    """Nodes that are described by hand; `edges` are (producer, output, consumer, input settings)."""

    directory: Path
    inputs: dict[str, list[InputWiring]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    operators: dict[str, list[OperatorWiring]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    connections: dict[str, socket.socket] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    greeted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    all_here: threading.Event = field(default_factory=threading.Event)
    timers_are_clocks: bool = False
    spins: dict[str, int] = field(default_factory=dict)
    """The `spin_us` of nodes that have one."""
    ports: dict[str, int] = field(default_factory=dict)
    """Of nodes that are on a host of their own: they are reached over TCP on loopback."""
    goes_over_zenoh: bool = False
    run_id: str = "run-1"
    routers: tuple[str, ...] = ()
    """Endpoints of the zenoh network that nodes connect to besides those of their readers."""
    endings: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def node(self, name: str, outputs: tuple[str, ...] = (), operators: tuple[OperatorWiring, ...] = ()) -> None:
        self.inputs.setdefault(name, [])
        self.outputs[name] = list(outputs)
        self.operators[name] = list(operators)

    def link(self, source: str, target: str, size: int = 10, policy: str = "drop_oldest") -> None:
        (producer, _, output), (consumer, _, port) = source.partition("/"), target.partition("/")
        self.inputs[consumer].append(InputWiring(port, source, size, policy))  # type: ignore[arg-type]
        self.links.append(Link(len(self.links) + 1, producer, output, consumer, port))

    def timer(self, target: str, interval_ns: int, size: int = 10) -> None:
        consumer, _, port = target.partition("/")
        self.inputs[consumer].append(InputWiring(port, "dora/timer", size, interval_ns=interval_ns))

    def config(self, name: str) -> Path:
        """Write a node's configuration."""
        names = list(self.outputs)
        index = names.index(name)
        wiring = {(consumer, port.id): port for consumer, ports in self.inputs.items() for port in ports}
        outgoing = tuple(
            OutgoingLink(
                link,
                self.address(link.consumer, names),
                wiring[link.consumer, link.input].queue_size,
                wiring[link.consumer, link.input].queue_policy,
                link.consumer if link.consumer in self.ports else "",
            )
            for link in self.links
            if link.producer == name
        )
        config = NodeConfig(
            contract=CONTRACT_VERSION,
            dataflow="test",
            run_id=self.run_id,
            node=NodeWiring(
                name,
                tuple(self.inputs[name]),
                tuple(OutputWiring(output) for output in self.outputs[name]),
                tuple(self.operators[name]),
                spin_us=self.spins.get(name, 0),
            ),
            listen=f"n{index}.sock",
            launcher="launcher.sock",
            incoming=tuple(link for link in self.links if link.consumer == name),
            outgoing=outgoing,
            source_root=str(self.directory),
            exit_when_nodes_finish=self.timers_are_clocks,
            listen_far=f"tcp://127.0.0.1:{self.ports[name]}" if name in self.ports else "",
            hosts={link.producer: link.producer for link in self.links if link.consumer == name and name in self.ports},
            insecure=True,
            fabric=self.fabric(name) if self.goes_over_zenoh else None,
        )
        path = self.directory / "nodes" / f"{index}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(to_json(config)))
        return path

    def fabric(self, name: str) -> Fabric:
        """Say how a node takes part in a zenoh network: readers listen, senders connect to them."""
        readers = dict.fromkeys(link.consumer for link in self.links if link.producer == name)
        return Fabric(
            listen=(f"tcp/127.0.0.1:{self.ports[name]}",) if name in self.ports else (),
            connect=(
                *(f"tcp/127.0.0.1:{self.ports[reader]}" for reader in readers if reader in self.ports),
                *self.routers,
            ),
        )

    def address(self, name: str, names: list[str]) -> str:
        return f"tcp://127.0.0.1:{self.ports[name]}" if name in self.ports else f"n{names.index(name)}.sock"

    def spawn(self, name: str, code: str) -> subprocess.Popen[str]:
        """Start a process whose code finds its node's configuration in the environment."""
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "DORAFLOW_CONFIG": str(self.config(name)), "PYTHONUNBUFFERED": "1"},  # as the launcher
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def join(self, *names: str) -> list[Node]:
        """Make nodes in this process, once `listen` was called; each is closed at the end."""
        waiting = []
        with ThreadPoolExecutor(len(names)) as threads:
            for name in names:
                os.environ[CONFIG_VARIABLE] = str(self.config(name))
                waiting.append(threads.submit(Node))
                assert self.greeted.acquire(timeout=30)
            del os.environ[CONFIG_VARIABLE]
        made = [node.result() for node in waiting]
        self.nodes += made
        return made

    def apart(self, *names: str) -> None:
        """Put nodes on hosts of their own."""
        self.ports.update(zip(names, self.endings.enter_context(held_ports()), strict=False))

    def pair(self, size: int = 10, policy: str = "backpressure") -> None:
        """Describe `a/out` to `b/in`, and play their launcher."""
        self.node("a", ("out",))
        self.node("b")
        self.link("a/out", "b/in", size, policy)
        self.listen(2)

    def listen(self, expected: int, later: int = 0) -> None:
        """Play the launcher: greet `expected` nodes, say start to all, then greet `later` ones that come again."""
        server = self.endings.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        server.bind(str(self.directory / "launcher.sock"))
        server.listen(16)

        def serve() -> None:
            with contextlib.suppress(_EndedError):
                for _ in range(expected):
                    self._greet(server)
                if not later:
                    server.close()  # before anybody goes on, who may count descriptors then
                for connection in self.connections.values():
                    self._start(connection)
                self.all_here.set()
                for _ in range(later):
                    self._start(self._greet(server))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.endings.callback(thread.join)
        self.endings.callback(_no_more_calls, server)

    def _greet(self, server: socket.socket) -> socket.socket:
        try:
            connection, _address = server.accept()
        except OSError:
            raise _EndedError from None
        with connection.makefile() as lines:
            hello = json.loads(lines.readline())
        before = self.connections.pop(hello["node"], None)
        if before is not None:
            before.close()
        self.connections[hello["node"]] = connection
        self.greeted.release()
        return connection

    def _start(self, connection: socket.socket) -> None:
        for reader in self.ports if self.goes_over_zenoh else ():
            said = {"type": "life", "node": reader, "life": self.run_id}
            connection.sendall(json.dumps(said).encode() + b"\n")
        connection.sendall(b'{"type": "start"}\n')

    def tell(self, name: str, **line: object) -> None:
        """Say something to a node."""
        assert self.all_here.wait(30)
        self.connections[name].sendall(json.dumps(line).encode() + b"\n")

    def finish(self, process: subprocess.Popen[str], timeout: float = 30) -> str:
        """Wait for a process that is to end well, and give what it printed."""
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == 0, err
        return out

    def end(self) -> None:
        for node in self.nodes:
            node.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.endings.close()
        for connection in self.connections.values():
            connection.close()


class _EndedError(Exception):
    """The run ended before all had come."""


def _no_more_calls(server: socket.socket) -> None:
    """Wake whoever waits for a call."""
    with contextlib.suppress(OSError):  # it is closed already
        server.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def making_run() -> Iterator[Run]:
    """A run in a folder of its own; all its processes are ended afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="df", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    made = Run(directory)
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(directory)


@pytest.fixture
def run() -> Iterator[Run]:
    with making_run() as made:
        yield made


@pytest.fixture
def new_run() -> Callable[[], AbstractContextManager[Run]]:
    """Makes runs, for tests that need many of them."""
    return making_run
