"""The fuzzer itself, as the page for contributors says to run it, but for some inputs only."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "CONTRIBUTING.md"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: the extra `fuzz` has it"
)


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "fuzz.parser", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_commands_on_the_page_for_contributors_run(tmp_path: Path) -> None:
    commands = re.findall(r"`python -m fuzz\.parser ([^`]+)`", PAGE.read_text())
    assert commands == ["-max_total_time=600", "FILE"]
    done = fuzz(tmp_path, "-max_total_time=600", "-runs=5")
    assert done.returncode == 0, done.stderr[-2_000:]
    assert len(list((tmp_path / ".doraflow/fuzz").iterdir())) > 300


def test_one_input_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "crash-1").write_text("nodes: []\n")
    done = fuzz(tmp_path, "crash-1")
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Executed crash-1" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["crash-1"]
