"""`doraflow logs` beside a run that goes on, and after it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from doraflow_runtime.contract import LogRules

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import sys, time
for number in range({count}):
    print(number)
    time.sleep({pause})
print("{end}")
"""


def logs(world: Any, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(command(*arguments), env=environment(world), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "doraflow", "logs", "--format", "json", *arguments]


def environment(world: Any) -> dict[str, str]:
    path = f"{world.environment['PYTHONPATH']}:{ROOT}"
    return {**world.environment, "PYTHONPATH": path}


def test_the_log_of_a_run_that_has_ended_is_read_by_its_dataflow_name(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", COUNT.format(count=3, pause=0, end="a ends"))
    bundle.node("b", "import sys\nprint('b', file=sys.stderr)\n")
    bundle.write()
    assert world.start(bundle, "--no-verify", DEFAULT_LOGS="yes").wait() == 0
    everything = logs(world, "--run", "flow")
    assert [record["message"] for record in everything if record["node"] == "a"] == ["0", "1", "2", "a ends"]
    assert everything == sorted(everything, key=lambda record: str(record["timestamp"]))
    assert [record["message"] for record in logs(world, "a", "--tail", "1")] == ["a ends"]
    assert [record["node"] for record in logs(world, "--regex", "^b$")] == ["b"]
    assert logs(world, "--level", "info") == logs(world, "--until", "1h") == []


def test_a_log_is_followed_through_files_put_aside_until_its_run_ends(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", COUNT.format(count=150, pause=0.01, end="last"))
    bundle.nodes[0] = replace(bundle.nodes[0], logs=LogRules(largest_file=1000, kept_files=100))
    launch = world.launch(bundle)
    launch.wait_for("a | 10\n")
    with subprocess.Popen(
        command("--run", str(launch.logs), "--follow"), env=environment(world), stdout=subprocess.PIPE, text=True
    ) as follower:
        out, _ = follower.communicate(timeout=60)
    assert follower.returncode == 0
    assert launch.wait() == 0
    assert [json.loads(line)["message"] for line in out.splitlines()] == [*map(str, range(150)), "last"]
    assert len(list(launch.logs.glob("a.jsonl.*"))) > 15


def test_wrong_questions_are_answered(world: Any) -> None:
    def asked(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [*command(), *arguments], env=environment(world), capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    state = world.folder / "state" / "doraflow"
    assert asked() == (
        1,
        (
            f"error: no run has left logs in `{state}`\n\n"
            "hint: start one with `doraflow run`, or name a folder with `--run`\n"
        ),
    )
    folder = state / "flow" / "20260101T000000Z-1"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("")
    assert asked("--run", "flwo") == (
        1,
        f"error: there is no run `flwo` with logs in `{state}`\n\nhint: name one of `flow`, or a folder\n",
    )
    assert asked("b") == (1, f"error: run `{folder.name}` has no node `b`\n\nhint: name one of `a`\n")
    assert asked("--regex", "(")[0] == 2
    assert asked("--since", "soon") == (2, "error: `soon` is no time: write `5m`, `2h` or `2026-01-31T12:00`\n")
    assert asked("--follow", "--group", "node") == (
        2,
        "error: what is not over cannot be grouped: leave out `--follow` or `--group`\n",
    )
