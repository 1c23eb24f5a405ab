"""The restart soak: a launcher's nodes are killed at random, many times, and what is left over is counted.

`python -m bench.soak.restarts --cycles N`. All nodes have `restart_policy: always`; the flow is that of the soak test.
The launcher is asked for the processes over its control socket, and judged by what it holds before and after.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.codec import to_json
from doraflow_runtime.contract import CONTRACT_VERSION, HostWiring, InputWiring, Process
from doraflow_runtime.control.client import Client, ControlError
from doraflow_runtime.control.messages import AskStatus, Status

from bench.soak.flow import configurations

if TYPE_CHECKING:
    from collections.abc import Callable

NODE = Path(__file__).with_name("lasting_node.py")
TYPINGS = Path(__file__).resolve().parents[2] / "typings"
PATIENCE = 60.0
WARM_UP = 20
"""Cycles before the first count: a launcher that has just begun has not made all that it keeps."""
_LAUNCHER = """\
import sys
from pathlib import Path
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.main import main
sys.exit(main(bundle=Path(__file__).resolve().parent, host="local", processes={processes}))
"""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the launcher holds: open files, resident bytes, and the files and bytes of the run's directory."""

    files: int
    memory: int
    entries: int


@dataclass(slots=True)
class Result:
    """What came of it; `faults` stays empty if all went well."""

    kills: int = 0
    restarts: int = 0
    seconds: float = 0.0
    before: Holdings = field(default_factory=lambda: Holdings(0, 0, 0))
    after: Holdings = field(default_factory=lambda: Holdings(0, 0, 0))
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Lay the figures out in a few lines."""
        return "\n".join(
            (
                f"{self.kills} nodes killed, {self.restarts} restarts in {self.seconds:.0f} s",
                f"open files of the launcher {self.before.files} -> {self.after.files}",
                f"memory of the launcher {self.before.memory >> 10} -> {self.after.memory >> 10} KiB",
                f"files of the run {self.before.entries} -> {self.after.entries}",
                *(f"fault: {fault}" for fault in self.faults),
            )
        )


def main() -> int:
    """Play, print the figures, and give the exit code: 1 if anything was wrong."""
    told = "Kill nodes under load that are started again, and count what is left over."
    parser = argparse.ArgumentParser(prog="python -m bench.soak.restarts", description=told)
    parser.add_argument("--cycles", type=int, default=1000, metavar="N", help="how many nodes to kill (default: 1000)")
    parser.add_argument("--seed", type=int, metavar="N", help="for the same victims")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="doraflow-restarts-"))
    try:
        result = play(folder, given.cycles, random.Random(given.seed))
    finally:
        shutil.rmtree(folder)
    print(result.text())
    return int(bool(result.faults))


def play(folder: Path, cycles: int, chance: random.Random) -> Result:
    """Run the flow in `folder`, kill `cycles` processes, and stop it."""
    _write_bundle(folder)
    faults = folder / "faults"
    faults.mkdir()
    base = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else str(folder)) / f"doraflow-restarts-{os.getpid()}"
    own = {"DORAFLOW_RUN_BASE": str(base), "SOAK_FAULTS": str(faults), "PYTHONPATH": str(TYPINGS)}
    command = [sys.executable, str(folder / "launch.py"), "--no-verify", "--log-dir", str(folder / "logs")]
    with (folder / "out").open("wb") as out:
        launcher = subprocess.Popen(command, env={**os.environ, **own}, stdout=out, stderr=subprocess.STDOUT)
        try:
            result = _disturb(launcher, base, cycles, chance)
        finally:
            launcher.send_signal(signal.SIGTERM)
            launcher.wait(PATIENCE)
    for path in sorted(faults.iterdir()):
        result.faults += [f"{path.stem}: {line}" for line in path.read_text().splitlines()]
    if launcher.returncode:
        result.faults.append(f"the launcher ended with {launcher.returncode}: {(folder / 'out').read_text()[-2000:]}")
    result.faults += [f"`{path.name}` was left behind" for path in sorted(base.rglob("*"))]
    shutil.rmtree(base, ignore_errors=True)
    return result


def _write_bundle(folder: Path) -> None:
    configured = list(configurations().values())
    links = {link.index: link for config in configured for link in config.incoming}
    nodes = [replace(config.node, inputs=(*config.node.inputs, _tick())) for config in configured]
    table = HostWiring(CONTRACT_VERSION, "soak", "local", tuple(nodes), tuple(links[index] for index in sorted(links)))
    processes = tuple(
        Process(node.id, "python", path=str(NODE), restart_policy="always", restart_delay=0.01, max_restart_delay=0.01)
        for node in nodes
    )
    (folder / "wiring").mkdir()
    (folder / "nodes").mkdir()
    (folder / "wiring" / "local.json").write_text(json.dumps(to_json(table)))
    (folder / "launch.py").write_text(_LAUNCHER.format(processes=repr(processes)))


def _tick() -> InputWiring:
    """Keep nodes without other inputs from being sources, which end for good when they end well."""
    return InputWiring("tick", "dora/timer/secs/1", interval_ns=1_000_000_000)


def _disturb(launcher: subprocess.Popen[bytes], base: Path, cycles: int, chance: random.Random) -> Result:
    result = Result()
    with _connect(base) as client:
        _await(lambda: _all_run(_ask(client)), "the nodes do not start")
        begun = time.monotonic()
        while result.kills < WARM_UP + cycles:
            if result.kills == WARM_UP and not result.before.files:
                _await(lambda: _all_run(_ask(client)), "the nodes do not come back after the first kills")
                result.before = _holdings(launcher.pid, base)
            result.kills += _kill(chance.choice(_ask(client).nodes).process)
            time.sleep(chance.uniform(0, 0.15))
            if result.kills % 10 == 0:
                _await(lambda: _all_run(_ask(client)), f"the nodes do not come back after {result.kills} kills")
        _await(lambda: _all_run(_ask(client)), "the nodes do not come back in the end")
        result.seconds = time.monotonic() - begun
        result.restarts = sum(node.restarts for node in _ask(client).nodes)
        result.after = _holdings(launcher.pid, base)
    if result.after.files > result.before.files + 3:
        result.faults.append("the launcher has more files open")
    if result.after.memory > result.before.memory + (16 << 20):
        result.faults.append("the launcher has grown")
    if result.after.entries > result.before.entries:
        result.faults.append("the run's directory has grown")
    return result


def _kill(process: int) -> bool:
    """Kill a process; False if there is none, or no more."""
    if process:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            return True
    return False


def _connect(base: Path) -> Client:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Client(next(base.iterdir()))
        except (ControlError, OSError, StopIteration):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _ask(client: Client) -> Status:
    reply = client.ask(AskStatus())
    if not isinstance(reply, Status):
        raise TypeError(f"the run answered {reply}")
    return reply


def _all_run(status: Status) -> bool:
    return bool(status.nodes) and all(node.state == "running" for node in status.nodes)


def _await(check: Callable[[], bool], fault: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(fault)
        time.sleep(0.02)


def _holdings(launcher: int, base: Path) -> Holdings:
    proc = Path(f"/proc/{launcher}")
    pages = int((proc / "statm").read_text().split()[1])
    return Holdings(len(list((proc / "fd").iterdir())), pages * os.sysconf("SC_PAGE_SIZE"), len(list(base.rglob("*"))))


if __name__ == "__main__":
    sys.exit(main())
