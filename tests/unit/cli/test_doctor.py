"""`doraflow doctor` on this machine: a table for people, stable JSON for scripts, 1 for a problem."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tests import commands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def doctor(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DORAFLOW_RUN_BASE": str(cwd / "runs"), "NO_COLOR": "1", **more}
    return commands.doraflow("doctor", *arguments, cwd=cwd, env=environment)


def test_a_table_names_each_check_and_counts_what_is_to_be_done(tmp_path: Path) -> None:
    done = doctor(cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"     ok  run folder     `{tmp_path}/runs`, made at the first run\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("no problems, ")


def test_a_problem_is_told_to_scripts_and_exits_1(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o755)
    (tmp_path / "flow.yml").write_text(
        "nodes: [{id: a, path: a.py, build: cargoo build, inputs: {t: dora/timer/hz/1}}]\n"
    )
    done = doctor("flow.yml", "--output", "json", cwd=tmp_path)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["version"] == 1
    assert all(list(item) == ["check", "state", "found", "mend"] for item in told["checks"])
    problems = [item for item in told["checks"] if item["state"] == "problem"]
    assert [item["check"] for item in problems] == ["run folder", "cargoo"]
    assert problems[1]["mend"] == "to use the closest program, write `cargo`"


def test_a_dataflow_with_errors_is_told_instead(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text("nodes: [{id: a, path: a.py, inputs: {x: b/x}}]\n")
    done = doctor("flow.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[DF203]" in done.stderr
