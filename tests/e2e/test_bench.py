"""The latency benchmark and the soak test, run for a moment: they must not rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def test_the_latency_benchmark_measures_every_size_both_ways(world: Any, tmp_path: Path) -> None:
    options = ["--rounds", "1", "--messages", "5", "--json", str(tmp_path / "result.json")]
    done = subprocess.run(
        [sys.executable, "-m", "bench.latency", *options],
        cwd=ROOT,
        env={**world.environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert {(row["size"], row["way"]) for row in rows} == {
        (size, way) for size in (8, 40_000, 4_000_000) for way in ("copied", "loaned")
    }
    assert all(0 < row["median"]["p50"] <= row["median"]["p99"] for row in rows)


def test_a_moment_of_the_soak_test_loses_nothing(world: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--minutes", "0", "--seconds", "2", "--seed", "6"],
        cwd=ROOT,
        env={**world.environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    moved, disturbed, lost = done.stdout.splitlines()
    assert not moved.startswith("0 ")
    assert disturbed == "1 nodes killed and 1 stopped for a moment"
    assert lost.startswith("0 messages lost; ")
