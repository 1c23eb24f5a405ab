"""How long `doraflow check` takes and how much memory it needs, by the number of nodes.

Each figure is the median of several runs, each a process of its own as a user starts it; the result cache is off but
for the last column.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.dataflows import KINDS
from bench.machine import machine

SIZES = (1_000, 10_000, 50_000)


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds on the clock, seconds of its own, and its peak memory in MiB."""

    wall: float
    user: float
    memory: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the medians of a dataflow's runs, and of those that found their result in the cache."""

    kind: str
    nodes: int
    whole: Run
    cached: Run


class BenchmarkError(Exception):
    """A check that ended otherwise than with its findings."""


def main() -> int:
    """Measure, print the table, and give the exit code."""
    given = _arguments()
    rows = []
    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="doraflow-bench-") as name:
        for kind in given.kinds:
            for nodes in given.sizes:
                try:
                    rows.append(measure(kind, nodes, given.rounds, Path(name)))
                except BenchmarkError as error:
                    print(error, file=sys.stderr)
                    return 1
                print(line(rows[-1]), flush=True)
    if given.json is not None:
        content = {"unit": "s and MiB", "machine": machine(), "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(kind: str, nodes: int, rounds: int, folder: Path) -> Row:
    """Generate a dataflow and check it `rounds` times without the cache and with it. Raises BenchmarkError."""
    place = folder / f"{kind}-{nodes}"
    place.mkdir()
    file = str(KINDS[kind](place, nodes))
    command = [sys.executable, "-m", "doraflow", "check", "--no-sources", "--format", "json", file]
    # Installed programs find their bytecode; a clone under test may be told to leave none.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"XDG_CACHE_HOME": str(place / "cache"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    run([*command[:-1], str(folder / "absent.yml")], environment)
    whole = [run([*command, "--no-cache"], environment) for _ in range(rounds)]
    run(command, environment)
    cached = [run(command, environment) for _ in range(rounds)]
    return Row(kind, nodes, median(whole), median(cached))


def run(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to its end and measure it. Raises BenchmarkError."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise BenchmarkError(f"`{' '.join(command)}` failed with exit code {process.returncode}")
    return Run(round(wall, 3), round(usage.ru_utime, 3), round(usage.ru_maxrss / 1024, 1))


def median(runs: list[Run]) -> Run:
    """Take the median of each figure.

    >>> median([Run(1.0, 1.0, 10.0), Run(9.0, 3.0, 30.0), Run(2.0, 2.0, 20.0)])
    Run(wall=2.0, user=2.0, memory=20.0)
    """
    return Run(
        statistics.median(one.wall for one in runs),
        statistics.median(one.user for one in runs),
        statistics.median(one.memory for one in runs),
    )


HEAD = f"{'dataflow':<9}  {'nodes':>6}  {'wall s':>7}  {'user s':>7}  {'µs/node':>7}  {'MiB':>6}  {'cached s':>8}"


def line(row: Row) -> str:
    """Lay a row out for a terminal."""
    each = row.whole.user / row.nodes * 1e6
    return (
        f"{row.kind:<9}  {row.nodes:>6}  {row.whole.wall:>7.2f}  {row.whole.user:>7.2f}  {each:>7.0f}  "
        f"{row.whole.memory:>6.0f}  {row.cached.wall:>8.2f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.check", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="how many nodes")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=tuple(KINDS), help="which dataflows")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
