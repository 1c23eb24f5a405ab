"""`doraflow build --target`: files for engines in the bundle, compared by `--check` and removed when not asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import commands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FLOW = "hosts: {local: {cores: 2, memory: 1GB}}\nnodes:\n  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/1}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "a.py").write_text('"""A node."""\n')
    return tmp_path


def build(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(project / ".cache"), "NO_COLOR": "1"}
    return commands.doraflow("build", "flow.yml", "-o", "out", *arguments, cwd=project, env=environment)


def test_files_of_a_target_come_are_compared_and_go(project: Path) -> None:
    unit = project / "out/targets/systemd/system/flow-local.service"
    assert build(project, "--target", "systemd").returncode == 0
    assert unit.is_file()
    assert build(project, "--target", "systemd", "--check").returncode == 0
    unit.write_text(unit.read_text().replace("200%", "900%"))
    done = build(project, "--target", "systemd", "--check")
    assert done.returncode == 1
    assert "-CPUQuota=900%" in done.stdout
    assert "+CPUQuota=200%" in done.stdout
    assert "left over: targets/systemd/README.md" in build(project, "--check").stdout
    assert build(project).returncode == 0
    assert not (project / "out/targets").exists()


def test_an_unknown_target_is_told_before_anything_is_built(project: Path) -> None:
    text = FLOW.replace("path: a.py", "path: a.py, build: touch built")
    (project / "flow.yml").write_text(text)
    done = build(project, "--target", "sytemd")
    assert done.returncode == 1
    assert "error[DF861]: there is no target `sytemd`" in done.stderr
    assert not (project / "built").exists()
    assert not (project / "out").exists()


def test_the_same_build_is_told_from_the_cache_and_other_targets_are_not(project: Path) -> None:
    assert build(project, "--target", "systemd").returncode == 0
    assert "0 files written" in build(project, "--target", "systemd").stderr
    assert "1 files written" in build(project).stderr  # the manifest
    assert not (project / "out/targets").exists()
