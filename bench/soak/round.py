"""One round of the soak test: the nodes started in a directory of their own, disturbed, and heard out.

The round plays the launcher's part itself, since a launcher would end the dataflow when a node is killed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.codec import to_json

from bench.soak.flow import LAUNCHER, OUTPUTS, configurations
from bench.soak.verdict import Verdict, judge

if TYPE_CHECKING:
    from doraflow_runtime.contract import NodeConfig

NODE = Path(__file__).with_name("node.py")
ENOUGH = "enough"
PATIENCE = 60.0
PAUSE_SECONDS = 0.3
TICK_SECONDS = 0.02


@dataclass(slots=True)
class Round:
    """The processes and connections of a round; `plan` says what is done to whom, and when."""

    folder: Path
    seconds: float
    chance: random.Random
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    connections: dict[str, socket.socket] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    pauses: int = 0

    def start(self) -> None:
        """Start every node, and let them go when all are there."""
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.folder / LAUNCHER))
            server.listen()
            server.settimeout(PATIENCE)
            for name, config in configurations().items():
                self.processes[name] = self._spawn(name, config)
            for _ in self.processes:
                connection = server.accept()[0]
                self.connections[json.loads(connection.recv(4096))["node"]] = connection
        self._tell_all({"type": "start"})

    def disturb(self) -> None:
        """Kill and stop nodes at random, and tell the others who has ended, until all have."""
        plan = self._plan()
        begun = time.monotonic()
        while (past := time.monotonic() - begun) < self.seconds + PATIENCE:
            while plan and plan[0][0] <= past:
                self._strike(*plan.pop(0)[1:])
            if not plan:
                (self.folder / ENOUGH).touch()
            ended = {name for name, process in self.processes.items() if process.poll() is not None}
            for name in sorted(ended - self.told):
                self.told.add(name)
                self._tell_all({"type": "ended", "node": name})
            if len(ended) == len(self.processes):
                return
            time.sleep(TICK_SECONDS)

    def judge(self) -> Verdict:
        """Read the reports of those that could write one."""
        paths = {name: self._report(name) for name in self.processes}
        reports = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
        verdict = judge(reports, self.killed)
        verdict.pauses = self.pauses
        for name, process in self.processes.items():
            if process.poll() is None:
                verdict.faults.append(f"`{name}` does not end")
            elif process.returncode and name not in self.killed:
                verdict.faults.append(f"`{name}` ended with {process.returncode}: {process.communicate()[1][-2000:]}")
        left = [path.name for path in self.folder.rglob("*") if path.suffix not in (".json", ".sock", ".report")]
        verdict.faults += [f"`{name}` was left behind" for name in left if name not in ("nodes", ENOUGH)]
        return verdict

    def end(self) -> None:
        """End whatever is still there."""
        for process in self.processes.values():
            process.kill()
            process.communicate()
        for connection in self.connections.values():
            connection.close()

    def _plan(self) -> list[tuple[float, str, int]]:
        strikes = self.chance.choices((0, 1, 2, 3), (2, 4, 3, 1))[0]
        kinds = (signal.SIGKILL, signal.SIGSTOP)
        return sorted(
            (self.chance.uniform(0.1, 0.9) * self.seconds, self.chance.choice(list(OUTPUTS)), self.chance.choice(kinds))
            for _ in range(strikes)
        )

    def _strike(self, name: str, number: int) -> None:
        process = self.processes[name]
        if process.poll() is not None:
            return
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait()
            if not self._report(name).exists():
                self.killed.add(name)
            return
        self.pauses += 1
        time.sleep(PAUSE_SECONDS)
        process.send_signal(signal.SIGCONT)

    def _tell_all(self, line: dict[str, str]) -> None:
        for name, connection in self.connections.items():
            if name not in self.told:
                try:
                    connection.sendall(json.dumps(line).encode() + b"\n")
                except OSError:
                    self.told.add(name)  # it has just ended

    def _report(self, name: str) -> Path:
        return self.folder / f"{name}.report"

    def _spawn(self, name: str, config: NodeConfig) -> subprocess.Popen[str]:
        path = self.folder / "nodes" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(to_json(config)))
        own = {
            "DORAFLOW_CONFIG": str(path),
            "SOAK_SECONDS": str(self.seconds),
            "SOAK_SEED": str(self.chance.randrange(2**32)),
            "SOAK_REPORT": str(self._report(name)),
            "SOAK_ENOUGH": str(self.folder / ENOUGH),
        }
        command = [sys.executable, str(NODE)]
        return subprocess.Popen(
            command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def play(seconds: float, seed: int) -> Verdict:
    """Play one round of about `seconds`, and say what came of it."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="doraflow-soak-", dir=place))
    game = Round(folder, seconds, random.Random(seed))
    try:
        game.start()
        game.disturb()
        return game.judge()
    finally:
        game.end()
        shutil.rmtree(folder)
