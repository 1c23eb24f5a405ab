"""New projects: each preset, and ports of every type, check clean, build, pass mypy and run to their end."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doraflow.build.fresh import write_fresh
from doraflow.scaffold.answers import Answers, NodeAnswer, PortAnswer, dataflow_text
from doraflow.scaffold.presets import PRESETS, preset_text
from doraflow.scaffold.project import project_of
from doraflow.scaffold.reading import KNOWN_TYPES
from tests import commands

if TYPE_CHECKING:
    from pathlib import Path


def every_type() -> str:
    """A dataflow with an output of every standard type, and one without."""
    outputs = (PortAnswer("any"), *(PortAnswer(f"p{at}", kind) for at, kind in enumerate(KNOWN_TYPES)))
    sender = NodeAnswer("front-camera", (PortAnswer("tick", "dora/timer/millis/50"),), outputs)
    relay = NodeAnswer("class", tuple(PortAnswer(port.id, f"front-camera/{port.id}") for port in outputs))
    both = NodeAnswer(
        "both",
        (PortAnswer("tick", "dora/timer/millis/50"), PortAnswer("any", "front-camera/any")),
        (PortAnswer("out"),),
    )
    waits = NodeAnswer("waits", (PortAnswer("x", "both/out"), PortAnswer("tick", "dora/timer/secs/1")))
    source = NodeAnswer("source", (), (PortAnswer("x", "std/core/v1/Int8"),))
    sink = NodeAnswer("sink", (PortAnswer("x", "source/x"),))
    return dataflow_text(Answers("all_types", (sender, relay, both, waits, source, sink)))


PROJECTS = [*PRESETS, "every type"]


def text_of(which: str) -> str:
    return preset_text(which, "demo") if which in PRESETS else every_type()


@pytest.mark.parametrize("which", PROJECTS)
def test_a_project_checks_clean_builds_passes_mypy_and_runs_to_its_end(
    which: str, tmp_path: Path, mypy_cache: Path
) -> None:
    project = project_of(text_of(which), tmp_path / "project")
    assert project.files is not None, project.made.diagnostics()
    assert project.made.diagnostics() == ()
    write_fresh(project.files, tmp_path / "project")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}

    def doraflow(*arguments: str) -> str:
        done = commands.doraflow(*arguments, cwd=tmp_path / "project", env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "no findings" in doraflow("check", "dataflow.yml")
    doraflow("build", "dataflow.yml", "-o", "bundle")
    scripts = [path for path in project.files.paths() if path.endswith(".py")]
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(mypy_cache), *scripts],
        cwd=tmp_path / "project",
        env={**environment, "MYPYPATH": "bundle:bundle/runtime"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert typed.stdout + typed.stderr == f"Success: no issues found in {len(scripts)} source files\n"
    assert "error" not in doraflow("run", "dataflow.yml")


@pytest.mark.parametrize("which", PROJECTS)
def test_a_skeleton_is_laid_out_as_ruff_checks_it(which: str, tmp_path: Path) -> None:
    project = project_of(text_of(which), tmp_path)
    assert project.files is not None
    write_fresh(project.files, tmp_path)
    rules = ["--isolated", "--line-length", "120", "--no-cache"]
    for command in (["check", "--select", "E,F,I,W,D1"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *rules, "nodes"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_a_dataflow_with_findings_gives_no_project(tmp_path: Path) -> None:
    text = dataflow_text(Answers("demo", (NodeAnswer("a", (PortAnswer("x", "b/x"),)),)))
    project = project_of(text, tmp_path)
    assert project.files is None
    assert [found.code for found in project.made.diagnostics()] == ["DF203"]
