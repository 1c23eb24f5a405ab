"""The restart soak: a launcher's nodes are killed at random, many times, and what is left over is counted.

`python -m bench.soak.restarts --cycles N`. All nodes have `restart_policy: always`; the flow is that of the soak test
and two nodes more, which are never killed: a source that sends to every victim, and a watch that reads from all. They
and the launcher are judged by what they hold before and after. The processes are asked for over the control socket.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
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
from doraflow_runtime.control.messages import AskMetrics, AskStatus, Metrics, Status

from bench.soak.flow import EDGES, OUTPUTS, Edge, configurations
from bench.soak.holdings import Holdings, compared, growth, holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NODE = Path(__file__).with_name("lasting_node.py")
TYPINGS = Path(__file__).resolve().parents[2] / "typings"
PATIENCE = 120.0
WARM_UP = 20
"""Cycles before the first count: a launcher that has just begun has not made all that it keeps."""
AT_A_TIME = 10
"""Kills before all nodes have to run again."""

SPARED: dict[str, tuple[str, ...]] = {"source": ("out",), "watch": ()}
_LAUNCHER = """\
import sys
from pathlib import Path
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.main import main
sys.exit(main(bundle=Path(__file__).resolve().parent, host="local", processes={processes}))
"""


@dataclass(slots=True)
class Result:
    """What came of it; `faults` stays empty if all went well. `checked` is what the watch has taken in."""

    kills: int = 0
    restarts: int = 0
    seconds: float = 0.0
    checked: tuple[int, int] = (0, 0)
    before: Holdings | None = None
    after: Holdings | None = None
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Lay the figures out in a few lines."""
        messages, size = self.checked
        return "\n".join(
            (
                f"{self.kills} nodes killed, {self.restarts} restarts in {self.seconds:.0f} s",
                f"{messages:,} messages with {size / 1e9:.1f} GB checked by the watch alone",
                *(compared(self.before, self.after) if self.before and self.after else ()),
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
            left = sorted(base.rglob("*"))
            shutil.rmtree(base, ignore_errors=True)
    for path in sorted(faults.iterdir()):
        result.faults += [f"{path.stem}: {line}" for line in path.read_text().splitlines()]
    if launcher.returncode:
        result.faults.append(f"the launcher ended with {launcher.returncode}: {(folder / 'out').read_text()[-2000:]}")
    result.faults += [f"`{path.name}` was left behind" for path in left]
    return result


def _write_bundle(folder: Path) -> None:
    configured = list(configurations(OUTPUTS | SPARED, (*EDGES, *_edges())).values())
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


def _edges() -> Iterator[Edge]:
    """Give the edges between the nodes that are spared and those that are not."""
    for at, name in enumerate(OUTPUTS):
        yield Edge("source", "out", name, 4, "backpressure" if at % 2 else "drop_oldest")
    for name, outputs in (OUTPUTS | {"source": ("out",)}).items():
        for output in outputs:
            yield Edge(name, output, "watch", 4, "backpressure" if name == "relay" else "drop_oldest")


def _disturb(launcher: subprocess.Popen[bytes], base: Path, cycles: int, chance: random.Random) -> Result:
    result = Result()
    with _connect(base) as client:
        _await(lambda: _all_run(_ask(client)), "the nodes do not start")
        begun = time.monotonic()
        _kill_often(client, WARM_UP, chance)
        earlier = _restarts(client)
        survivors = {"launcher": launcher.pid} | {
            node.node: node.process for node in _ask(client).nodes if node.node in SPARED
        }
        result.before = holdings(survivors, base)
        result.kills = _kill_often(client, cycles, chance)
        result.seconds = time.monotonic() - begun
        status = _ask(client)
        result.restarts = sum(node.restarts for node in status.nodes) - earlier
        result.faults += [
            f"{node.node} was started again" for node in status.nodes if node.node in SPARED and node.restarts
        ]
        result.checked = _taken(client)
        result.after = holdings(survivors, base)
    result.faults += growth(result.before, result.after)
    return result


def _kill_often(client: Client, cycles: int, chance: random.Random) -> int:
    """Kill nodes, some at a time, until so many were started again; give how many were killed."""
    kills, first = 0, _restarts(client)
    while (missing := cycles + first - _restarts(client)) > 0:
        killed: set[int] = set()
        for _ in range(min(missing, AT_A_TIME)):
            victim = chance.choice([node for node in _ask(client).nodes if node.node not in SPARED])
            if victim.process not in killed and _kill(victim.process):
                killed.add(victim.process)
            time.sleep(chance.uniform(0, 0.15))
        kills += len(killed)
        have_returned = functools.partial(_have_returned, client, killed)
        _await(have_returned, f"the nodes do not come back after {kills} kills")
    return kills


def _restarts(client: Client) -> int:
    return sum(node.restarts for node in _ask(client).nodes)


def _taken(client: Client) -> tuple[int, int]:
    """Say how many messages, and bytes, the watch has taken in."""
    reply = client.ask(AskMetrics())
    nodes = reply.nodes if isinstance(reply, Metrics) else ()
    ports = [port for node in nodes if node.node == "watch" for port in node.inputs]
    return sum(port.messages for port in ports), sum(port.bytes for port in ports)


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
            return Client(next(base.iterdir()), PATIENCE)
        except (ControlError, OSError, StopIteration):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _ask(client: Client) -> Status:
    reply = client.ask(AskStatus())
    if not isinstance(reply, Status):
        raise TypeError(f"the run answered {reply}")
    return reply


def _have_returned(client: Client, killed: set[int]) -> bool:
    status = _ask(client)
    return _all_run(status) and not any(node.process in killed for node in status.nodes)


def _all_run(status: Status) -> bool:
    return bool(status.nodes) and all(node.state == "running" for node in status.nodes)


def _await(check: Callable[[], bool], fault: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(fault)
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
