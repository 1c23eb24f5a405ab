"""One-way latency between two Python nodes on one host, from a complete message to the event that holds it.

Each round builds on `latency.yml` and starts it with the launcher of its bundle, as a user would. The sender notes the
time when a message is complete, in its first bytes: copied messages are then passed to `send_output`, loaned ones lie
in shared memory already. The receiver notes the time when `next` has given it the event. Sizes are of the payload.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import machine

DATAFLOW = Path(__file__).with_name("latency.yml")
WARM_UP = 50  # messages of each kind that are not counted


@dataclass(frozen=True, slots=True)
class Figures:
    """The latency of one kind of message, in microseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `size` in bytes, the median over all rounds, and the rounds themselves."""

    size: int
    way: str
    median: Figures
    rounds: tuple[Figures, ...]


class BenchmarkError(Exception):
    """A round that gave no figures."""


def main() -> int:
    """Measure, print the table, and give the exit code."""
    given = _arguments()
    try:
        rows = measure(given.rounds, given.messages, given.pace / 1000)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows))
    if given.json is not None:
        content = {"unit": "us", "pace_ms": given.pace, "messages": given.messages, "machine": machine()}
        given.json.write_text(json.dumps({**content, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    return 0


def measure(rounds: int, messages: int, pace: float) -> list[Row]:
    """Run the dataflow `rounds` times with `messages` of each kind, `pace` seconds apart. Raises BenchmarkError."""
    with tempfile.TemporaryDirectory(prefix="doraflow-bench-") as name:
        folder = Path(name)
        _run([sys.executable, "-m", "doraflow", "build", str(DATAFLOW), "-o", str(folder / "bundle")], {})
        taken = [_round(folder, messages, pace) for _ in range(rounds)]
    return [_row(kind, [figures(one[kind]) for one in taken]) for kind in taken[0]]


def figures(nanoseconds: list[int]) -> Figures:
    """Take the percentiles, as the nearest rank.

    >>> figures([1000 * n for n in range(1, 101)])
    Figures(p50=50.0, p99=99.0)
    """
    ordered = sorted(nanoseconds)

    def rank(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1] / 1000

    return Figures(rank(0.50), rank(0.99))


def table(rows: list[Row]) -> str:
    """Lay the rows out for a terminal."""
    lines = [f"{'size':>10}  {'sent':<6}  {'p50 µs':>8}  {'p99 µs':>8}"]
    lines += [f"{row.size:>8} B  {row.way}  {row.median.p50:>8.0f}  {row.median.p99:>8.0f}" for row in rows]
    return "\n".join(lines)


def _round(folder: Path, messages: int, pace: float) -> dict[str, list[int]]:
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    settings = {"MESSAGES": str(messages + WARM_UP), "PACE": str(pace), "RESULT": str(result)}
    command = [sys.executable, str(folder / "bundle" / "launch_local.py"), "--log-dir", str(folder / "logs")]
    _run(command, {f"LATENCY_{name}": text for name, text in settings.items()})
    taken: dict[str, list[int]] = json.loads(result.read_text())
    for kind, latencies in taken.items():
        if len(latencies) != messages + WARM_UP:
            raise BenchmarkError(
                f"`{kind}` lost {messages + WARM_UP - len(latencies)} messages; choose a slower --pace"
            )
    return {kind: latencies[WARM_UP:] for kind, latencies in taken.items()}


def _row(kind: str, rounds: list[Figures]) -> Row:
    way, size = kind.split("_")
    middle = Figures(statistics.median(one.p50 for one in rounds), statistics.median(one.p99 for one in rounds))
    return Row(int(size), way, middle, tuple(rounds))


def _run(command: list[str], settings: dict[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"`{' '.join(command)}` failed with exit code {done.returncode}:\n{done.stderr}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=_count, default=5, metavar="N", help="runs of the dataflow (default: 5)")
    parser.add_argument(
        "--messages", type=_count, default=400, metavar="N", help="messages of each kind in a round (default: 400)"
    )
    parser.add_argument("--pace", type=float, default=5.0, metavar="MS", help="milliseconds between two (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round to FILE")
    return parser.parse_args()


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return value


if __name__ == "__main__":
    sys.exit(main())
