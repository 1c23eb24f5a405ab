"""The message path by itself: what one message costs each side in processor time, and how long it is on its way.

Two node processes and nothing else: this process writes their configurations and plays the launcher. Processor time
is user and system time together, and is trustworthy on a busy machine too; latency and rate are not. The flood is of
a `backpressure` link, as fast as nothing is lost; then come single messages at a steady pace. Sizes are of the payload.
MESSAGES_SENDER_UNDER and MESSAGES_RECEIVER_UNDER name a command to start a node under: `strace -c -o FILE`, or perf.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doraflow_runtime.codec import to_json
from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    InputWiring,
    Link,
    NodeConfig,
    NodeWiring,
    OutgoingLink,
    OutputWiring,
)

from bench.flow import FEWEST, IN_FLIGHT, MOST
from bench.machine import machine
from bench.settings import SIZES

NODES = Path(__file__).with_name("message_nodes")
WAYS = ("copied", "loaned")
PATIENCE = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class Figures:
    """One round, or the median of several: microseconds, and messages a second.

    `share` is what the receiver takes of a core while single messages come.
    """

    sender_us: float
    receiver_us: float
    rate: float
    p50: float
    p99: float
    share: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the median of all rounds, and the rounds."""

    size: int
    way: str
    median: Figures
    rounds: tuple[Figures, ...]


class BenchmarkError(Exception):
    """A round that gave no figures."""


def main() -> int:
    """Measure, print the table, and give the exit code."""
    given = _arguments()
    print(
        f"{'size':>10}  {'sent':<6}  {'sender µs':>9}  {'receiver µs':>11}  {'msg/s':>8}  {'p50 µs':>7}  {'p99 µs':>7}"
    )
    rows = []
    try:
        for size in given.sizes:
            for way in given.ways:
                rows.append(_row(given, size, way))
                print(_line(rows[-1]), flush=True)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    if given.json is not None:
        content = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0


def measure(settings: dict[str, str], receiver: NodeWiring) -> Figures:
    """Run the two nodes once. Raises BenchmarkError if one of them fails."""
    folder = Path(tempfile.mkdtemp(prefix="doraflow-messages-", dir="/dev/shm"))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(str(folder / "launcher.sock"))
            server.listen()
            server.settimeout(PATIENCE)
            _run(folder, server, settings, receiver)
        return _figures(
            json.loads((folder / "sender.result").read_text()), json.loads((folder / "receiver.result").read_text())
        )
    finally:
        shutil.rmtree(folder)


def reader(size: int, spin_us: int) -> NodeWiring:
    """The receiving node of messages of a size."""
    window = max(FEWEST, min(MOST, IN_FLIGHT // size))
    return NodeWiring("receiver", (InputWiring("in", "sender/out", window, "backpressure"),), spin_us=spin_us)


def _row(given: argparse.Namespace, size: int, way: str) -> Row:
    settings = {"SIZE": size, "WAY": way, "SECONDS": given.seconds, "PACED": given.messages, "PACE": given.pace / 1000}
    named = {f"MESSAGES_{name}": str(value) for name, value in settings.items()}
    receiver = reader(size, given.spin)
    rounds = [measure(named, receiver) for _ in range(given.rounds)]
    names = asdict(rounds[0])
    middle = {name: statistics.median(asdict(one)[name] for one in rounds) for name in names}
    return Row(size, way, Figures(**middle), tuple(rounds))


def _line(row: Row) -> str:
    it = row.median
    return (
        f"{row.size:>8} B  {row.way}  {it.sender_us:>9.2f}  {it.receiver_us:>11.2f}  {it.rate:>8.0f}"
        f"  {it.p50:>7.0f}  {it.p99:>7.0f}"
    )


def _run(folder: Path, server: socket.socket, settings: dict[str, str], receiver: NodeWiring) -> None:
    processes = []
    connections = []
    try:
        for name, config in _configurations(receiver).items():
            processes.append(_spawn(folder, name, config, settings))
            connections.append(server.accept()[0])
            connections[-1].recv(4096)  # its hello: it listens now
        for connection in connections:
            connection.sendall(b'{"type": "start"}\n')
        for process in processes:
            _, errors = process.communicate(timeout=PATIENCE)
            if process.returncode != 0:
                raise BenchmarkError(errors)
    except (TimeoutError, subprocess.TimeoutExpired):
        raise BenchmarkError("the nodes do not end") from None
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for connection in connections:
            connection.close()


def _spawn(folder: Path, name: str, config: NodeConfig, settings: dict[str, str]) -> subprocess.Popen[str]:
    path = folder / "nodes" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(to_json(config)))
    own = {"DORAFLOW_CONFIG": str(path), "MESSAGES_RESULT": str(folder / f"{name}.result")}
    command = [
        *shlex.split(os.environ.get(f"MESSAGES_{name.upper()}_UNDER", "")),
        sys.executable,
        str(NODES / f"{name}.py"),
    ]
    return subprocess.Popen(command, env={**os.environ, **settings, **own}, stderr=subprocess.PIPE, text=True)


def _configurations(receiver: NodeWiring) -> dict[str, NodeConfig]:
    link = Link(1, "sender", "out", "receiver", "in")
    sender = NodeWiring("sender", (), (OutputWiring("out"),))
    outgoing = OutgoingLink(link, "receiver.sock", receiver.inputs[0].queue_size, "backpressure")
    return {"receiver": _configuration(receiver, (link,), ()), "sender": _configuration(sender, (), (outgoing,))}


def _configuration(node: NodeWiring, incoming: tuple[Link, ...], outgoing: tuple[OutgoingLink, ...]) -> NodeConfig:
    return NodeConfig(
        contract=CONTRACT_VERSION,
        dataflow="messages",
        run_id="messages",
        node=node,
        listen=f"{node.id}.sock",
        launcher="launcher.sock",
        incoming=incoming,
        outgoing=outgoing,
        source_root=".",
    )


def _figures(sent: dict[str, float], received: dict[str, Any]) -> Figures:
    taken = sorted(received["latencies"])
    p50, p99 = (taken[math.ceil(share * len(taken)) - 1] / 1000 if taken else 0.0 for share in (0.5, 0.99))
    rate = received["messages"] / received["seconds"]
    cpu = [sent["cpu"] / sent["messages"] * 1e6, received["cpu"] / received["messages"] * 1e6]
    return Figures(*cpu, rate, p50, p99, received["share"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.messages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each kind (default: 3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="B", help="bytes of the payloads")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS, help="how they are sent")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="length of a flood (default: 1)")
    parser.add_argument("--messages", type=int, default=200, metavar="N", help="messages one by one (default: 200)")
    parser.add_argument("--pace", type=float, default=5.0, metavar="MS", help="milliseconds between two (default: 5)")
    parser.add_argument("--spin", type=int, default=0, metavar="US", help="the receiver's `spin_us` (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round to FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
