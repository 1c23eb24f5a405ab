"""The benchmark and the soak test, run for a moment: they must not rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def places(folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}


@pytest.mark.parametrize(
    ("kind", "expected", "peers"),
    [
        ("latency", {(way, metric) for way in ("copied", "loaned") for metric in ("p50", "p99")}, ["doraflow"]),
        ("throughput", {("copied", "rate"), ("loaned", "rate")}, ["doraflow", "doraflow-arrow"]),
        ("startup", {("", "ready"), ("", "ended")}, ["doraflow"]),
    ],
)
def test_the_benchmark_measures_doraflow(
    world: Any, tmp_path: Path, kind: str, expected: set[tuple[str, str]], peers: list[str]
) -> None:
    options = ["--peers", ",".join(peers), "--kinds", kind, "--sizes", "8", "--rounds", "1", "--quick"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--json", str(tmp_path / "result.json")],
        cwd=ROOT,
        env={**world.environment, **places(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "result.json").read_text())
    assert {(row["way"], row["metric"]) for row in results["rows"]} == expected
    assert list(dict.fromkeys(row["peer"] for row in results["rows"])) == peers
    for row in results["rows"]:
        assert row["kind"] == kind
        assert row["ratio"] == 1.0 or row["peer"] != "doraflow"
        assert 0 < row["min"] <= row["median"] <= row["max"]
        assert len(row["rounds"]) == 1
    assert results["failures"] == []
    assert list(tmp_path.glob("dfb-*")) == []


def test_the_gain_of_looking_before_sleeping_is_measured(world: Any, tmp_path: Path) -> None:
    options = ["--rounds", "1", "--seconds", "0.01", "--spins", "0", "200", "--paces", "0.1"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.spin", *options],
        cwd=ROOT,
        env={**world.environment, **places(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["0.1 ms", "0"], ["0.1 ms", "200"]]
    assert all(0 < float(row[2]) <= float(row[3]) for row in rows)
    assert rows[0][4] == "1.00"


def test_a_peer_that_cannot_be_installed_is_told_as_absent(world: Any, tmp_path: Path) -> None:
    options = ["--peers", "floor", "--kinds", "latency", "--sizes", "8", "--rounds", "1", "--quick"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--json", str(tmp_path / "result.json")],
        cwd=ROOT,
        env={**world.environment, **places(tmp_path), "CC": "no-such-compiler"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert json.loads((tmp_path / "result.json").read_text())["absent"] == {"floor": "no C compiler is installed"}
    assert "floor is absent: no C compiler is installed" in done.stdout


def test_a_moment_of_the_soak_test_loses_nothing(world: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--minutes", "0", "--seconds", "2", "--seed", "6"],
        cwd=ROOT,
        env={**world.environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    moved, disturbed, lost = done.stdout.splitlines()
    assert not moved.startswith("0 ")
    assert disturbed == "1 nodes killed and 1 stopped for a moment"
    assert lost.startswith("0 messages lost; ")


def test_nodes_that_are_killed_again_and_again_leave_and_break_nothing(world: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak.restarts", "--cycles", "20", "--seed", "6"],
        cwd=ROOT,
        env={**world.environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told, checked, *held = done.stdout.splitlines()
    assert int(told.partition(" nodes killed, ")[2].split()[0]) >= 20
    assert not checked.startswith("0 ")
    assert [line.partition(":")[0] for line in held] == ["launcher", "watch", "source", "run"]
