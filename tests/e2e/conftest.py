"""What every end-to-end test needs: bundles made by hand, launched for real, and a look around afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.codec import to_json
from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    FEWEST_FORKED,
    HostWiring,
    InputWiring,
    Link,
    NodeWiring,
    OperatorWiring,
    OutputWiring,
    Process,
)

from tests.e2e.fleet import Fleet
from tests.e2e.network import network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.network import Network

PATIENCE = 60.0
MARK = "DORAFLOW_TEST"
TYPINGS = Path(__file__).resolve().parents[2] / "typings"

LAUNCH_SCRIPT = """\
import os, sys
from pathlib import Path
from doraflow_runtime.warm.early import begin
WARMING = begin(sys.argv[1:], os.environ) if {is_warmed} and __name__ == "__main__" else None
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.main import main
BUNDLE = Path(__file__).resolve().parent
PROCESSES = {processes}
if __name__ == "__main__":
    sys.exit(main(bundle=BUNDLE, host="local", processes=PROCESSES, warming=WARMING))
"""


@dataclass
class Bundle:
    """A bundle that grows node by node; `write` lays it out as the compiler would."""

    path: Path
    nodes: list[NodeWiring] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    exit_when_nodes_finish: bool = False
    health_check_interval: float = 5.0
    is_early: bool = True  # whether the launch script begins a warm process at once, as those of the compiler do

    def node(
        self,
        name: str,
        code: str | None = None,
        *,
        inputs: dict[str, str] | None = None,
        outputs: tuple[str, ...] = (),
        operators: tuple[str, ...] = (),
        **process: object,
    ) -> None:
        """Add a node; `inputs` are sources by id, `code` is the text of its script."""
        ports = tuple(_input(port, source) for port, source in (inputs or {}).items())
        rows = tuple(OperatorWiring(operator, "python", f"{operator}.py") for operator in operators)
        self.nodes.append(NodeWiring(name, ports, tuple(map(OutputWiring, outputs)), rows))
        row = Process(
            node=name,
            kind="operators" if operators else "python",
            path=f"{name}.py",
            place=f"flow.yml:{len(self.nodes)}:9",
        )
        self.processes.append(replace(row, **process))  # type: ignore[arg-type]
        if code is not None:
            self.source(f"{name}.py", code)

    def source(self, name: str, code: str) -> Path:
        """Write a file among the nodes' sources."""
        path = self.path / "nodes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def wiring(self) -> HostWiring:
        """Link the inputs of all nodes with what they name."""
        pairs = [
            (port.source.split("/", 1), node.id, port.id)
            for node in self.nodes
            for port in node.inputs
            if not port.interval_ns and not port.source.startswith("dora/logs")
        ]
        links = [Link(index, source[0], source[1], node, port) for index, (source, node, port) in enumerate(pairs, 1)]
        return HostWiring(
            CONTRACT_VERSION,
            "flow",
            "local",
            tuple(self.nodes),
            tuple(links),
            self.exit_when_nodes_finish,
            self.health_check_interval,
        )

    def write(self) -> None:
        """Write the wiring table and the launch script."""
        (self.path / "nodes").mkdir(parents=True, exist_ok=True)
        (self.path / "wiring").mkdir(parents=True, exist_ok=True)
        (self.path / "wiring" / "local.json").write_text(json.dumps(to_json(self.wiring())))
        is_warmed = self.is_early and sum(process.is_forkable for process in self.processes) >= FEWEST_FORKED
        script = LAUNCH_SCRIPT.format(processes=repr(tuple(self.processes)), is_warmed=is_warmed)
        (self.path / "launch_local.py").write_text(script)


def _input(port: str, source: str) -> InputWiring:
    interval = int(source.rsplit("/", 1)[1]) * 1_000_000 if source.startswith("dora/timer/millis/") else 0
    return InputWiring(port, source, interval_ns=interval)


@dataclass
class Launch:
    """A launcher that runs. Its output goes to files, so that it never waits for the test."""

    process: subprocess.Popen[bytes]
    folder: Path
    logs: Path

    @property
    def out(self) -> str:
        """What it has written to standard output so far."""
        return (self.folder / "out").read_text(errors="surrogateescape")

    @property
    def err(self) -> str:
        """What it has written to standard error so far."""
        return (self.folder / "err").read_text(errors="surrogateescape")

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(timeout)

    def wait_for(self, text: str, timeout: float = PATIENCE) -> None:
        """Wait until `text` stands in its output."""
        _eventually(
            lambda: text in self.out or text in self.err, lambda: f"{text!r} in:\n{self.out}\n{self.err}", timeout
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the launcher alone."""
        self.process.send_signal(number)

    def events(self, kind: str) -> list[dict[str, object]]:
        """The JSON lines of a type that it has written."""
        return [line for line in map(json.loads, self.out.splitlines()) if line["type"] == kind]

    def log(self, node: str) -> list[dict[str, object]]:
        """The records in the log file of a node."""
        return [json.loads(line) for line in (self.logs / f"{node}.jsonl").read_text().splitlines()]


@dataclass
class World:
    """The surroundings of one test: its bundles, its run directories, its processes."""

    folder: Path
    base: Path
    token: str
    environment: dict[str, str]
    launches: list[Launch] = field(default_factory=list)

    def bundle(self, name: str = "bundle") -> Bundle:
        """Begin a bundle."""
        return Bundle(self.folder / name)

    def launch(self, bundle: Bundle, *arguments: str, **environment: str) -> Launch:
        """Start a bundle's launcher in a session of its own, without waiting."""
        bundle.write()
        return self.start(bundle, "--no-verify", *arguments, **environment)

    def start(self, bundle: Bundle, *arguments: str, **environment: str) -> Launch:
        """Start the launcher of a bundle that is written already."""
        folder = self.folder / f"launch{len(self.launches)}"
        folder.mkdir()
        logs = folder / "logs"
        if "--log-dir" not in arguments and "DEFAULT_LOGS" not in environment:
            arguments = ("--log-dir", str(logs), *arguments)
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, str(bundle.path / "launch_local.py"), *arguments],
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        launch = Launch(process, folder, logs)
        self.launches.append(launch)
        return launch

    def processes(self) -> dict[int, str]:
        """All living processes that this test has started, with their command lines."""
        found = {}
        mark = f"{MARK}={self.token}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def guardian_of(self, launch: Launch) -> int:
        """Find the guardian: the one child of the launcher that runs the launcher's own command."""
        children = Path(f"/proc/{launch.process.pid}/task/{launch.process.pid}/children").read_text().split()
        return next(int(child) for child in children if "launch_local.py" in self.processes().get(int(child), ""))

    def runs(self) -> list[str]:
        """The run directories of this test that exist."""
        return sorted(path.name for path in self.base.iterdir()) if self.base.exists() else []

    def tidy(self) -> None:
        """Stop what a failed test has left running, then assert that nothing is left."""
        for launch in self.launches:
            if launch.process.poll() is None:
                launch.signal(signal.SIGTERM)
        try:
            _eventually(lambda: not self.processes(), lambda: f"processes are left: {self.processes()}")
            assert self.runs() == []
        finally:
            for number in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            for launch in self.launches:
                launch.process.wait(PATIENCE)
            shutil.rmtree(self.base, ignore_errors=True)


def _eventually(check: Callable[[], bool], failure: str | Callable[[], str], timeout: float = PATIENCE) -> None:
    """Wait until `check` holds."""
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(failure if isinstance(failure, str) else failure())
        time.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Give tests the patience to wait until something holds."""
    return _eventually


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a test its surroundings, and see afterwards that it leaves them empty."""
    world = _surroundings(tmp_path)
    yield world
    world.tidy()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give the tests of a module surroundings for a launch that all of them look at."""
    world = _surroundings(tmp_path_factory.mktemp("world"))
    yield world
    world.tidy()


def _surroundings(tmp_path: Path) -> World:
    token = secrets.token_hex(4)
    shm = Path("/dev/shm")
    base = (shm if os.access(shm, os.W_OK) else tmp_path) / f"doraflow-test-{token}"
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("DORAFLOW_", "PYTHON"))},
        "DORAFLOW_RUN_BASE": str(base),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(TYPINGS),  # the runtime of this checkout, whatever is installed
        MARK: token,
    }
    return World(tmp_path, base, token, environment)


@pytest.fixture
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """The hosts that the test's module names in `HOSTS`, as network namespaces."""
    with network_of(*request.module.HOSTS) as made:
        yield made


@pytest.fixture
def fleet(tmp_path: Path, network: Network) -> Iterator[Fleet]:
    """What runs on these hosts; all of it is ended with the test."""
    made = Fleet(tmp_path, network)
    yield made
    made.end()
