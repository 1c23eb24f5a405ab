"""Logs that are too much for the disk, or for the launcher's memory: the run goes on, and others are not held up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from doraflow_runtime.contract import LogRules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEBIBYTE = 2**20
FLOOD = """
import os
line = b"x" * 199 + b"\\n"
block = line * 5000
for _ in range({blocks}):
    left = memoryview(block)
    while left:
        left = left[os.write(1, left) :]
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one mebibyte, where tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "doraflow-test", str(folder)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("a small disk cannot be mounted here: that takes the rights of an administrator")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_stops_nothing_and_what_it_cost_is_told(
    world: Any, small_disk: Path, eventually: Any
) -> None:
    logs = small_disk / "logs"
    ballast = small_disk / "ballast"
    bundle = world.bundle()
    bundle.node(
        "talker",
        f"""
        import os, time
        from pathlib import Path
        ballast = Path({str(ballast)!r})
        log = Path({str(logs / "talker.jsonl")!r})
        print("before", flush=True)
        while not log.exists() or "before" not in log.read_text():
            time.sleep(0.01)
        room = os.statvfs(ballast.parent)
        ballast.write_bytes(b"x" * (room.f_bavail * room.f_bsize))
        for number in range(1000):
            print("lost", "x" * 100)
        while not Path("all are shown").exists():
            time.sleep(0.01)
        ballast.unlink()
        while "after" not in log.read_text():
            print("after", flush=True)
            time.sleep(0.2)
        """,
    )
    bundle.node("other", "for number in range(10): print(number)\n")
    launch = world.launch(bundle, "--log-dir", str(logs))
    eventually(lambda: launch.out.count("talker | lost") == 1000, "lines are not shown")
    bundle.source("all are shown", "")
    assert launch.wait() == 0, launch.err
    path = logs / "talker.jsonl"
    records = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    (gap,) = [at for at, record in enumerate(records) if record["target"] == "doraflow_runtime"]
    lost = records[gap]["fields"]["lost"]
    kept = [record["message"].split()[0] for record in records[:gap] + records[gap + 1 :]]
    counts = {word: (launch.out.count(f"talker | {word}"), kept.count(word)) for word in ("before", "lost", "after")}
    assert kept == [word for word, (_, count) in counts.items() for _ in range(count)]
    assert sum(shown - count for shown, count in counts.values()) == lost
    assert counts["before"] == (1, 1)
    assert counts["lost"][0] - counts["lost"][1] > 900
    assert launch.err.count("cannot be written: no space left on device; the run goes on without a full log") == 1
    assert launch.err.count(f"`{path}` is written again: {lost} lines of it were lost (no space left on device)") == 1


def test_a_disk_too_small_for_a_log_holds_its_newest_files_when_they_are_put_aside(
    world: Any, small_disk: Path
) -> None:
    bundle = world.bundle()
    bundle.node("flood", FLOOD.format(blocks=20))
    rules = LogRules(largest_file=200_000, kept_files=3)
    bundle.nodes[0] = replace(bundle.nodes[0], logs=rules)
    launch = world.launch(bundle, "--log-dir", str(small_disk / "logs"))
    assert launch.wait() == 0, launch.err
    files = sorted((small_disk / "logs").glob("flood.jsonl*"))
    assert len(files) == 4
    assert all(file.stat().st_size <= 200_000 for file in files)
    assert all(json.loads(line) for file in files for line in file.read_text().split("\n")[:-1])
    assert "cannot be written" not in launch.err


@pytest.mark.parametrize("size", [int(os.environ.get("DORAFLOW_TEST_LOG_BYTES", 30 * MEBIBYTE))])
def test_a_flood_of_lines_is_kept_whole_in_little_memory(world: Any, size: int, eventually: Any) -> None:
    """A gibibyte is written with `DORAFLOW_TEST_LOG_BYTES=1073741824`, which takes a minute and more."""
    blocks = size // 1_000_000
    bundle = world.bundle()
    bundle.node("flood", FLOOD.format(blocks=blocks))
    bundle.nodes[0] = replace(bundle.nodes[0], logs=LogRules(largest_file=64 * MEBIBYTE, kept_files=100))
    launch = world.launch(bundle)
    launcher = psutil.Process(launch.process.pid)
    most = 0
    while launch.process.poll() is None:
        try:
            most = max(most, launcher.memory_info().rss)
            launch.wait(0.05)
        except (subprocess.TimeoutExpired, psutil.NoSuchProcess):
            continue
    assert launch.wait() == 0, launch.err
    count = sum(file.read_bytes().count(b"\n") for file in launch.logs.glob("flood.jsonl*"))
    assert count == blocks * 5000
    assert most < 100 * MEBIBYTE
