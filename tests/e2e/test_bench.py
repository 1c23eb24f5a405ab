"""The latency benchmark, run for a moment: it must not rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def test_the_latency_benchmark_measures_every_size_both_ways(world: Any, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.latency",
        "--rounds",
        "1",
        "--messages",
        "30",
        "--json",
        str(tmp_path / "j"),
    ]
    done = subprocess.run(command, cwd=ROOT, env=world.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "j").read_text())["rows"]
    assert [(row["size"], row["way"]) for row in rows] == [
        (size, way) for size in ("8 B", "40 KB", "4 MB") for way in ("copied", "loaned")
    ]
    assert all(0 < row["p50_us"] <= row["p99_us"] for row in rows)
    assert all(row["size"] in done.stdout for row in rows)
