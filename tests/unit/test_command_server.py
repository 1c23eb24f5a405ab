"""The server that forks the commands of tests: what it hands to a command is what the test has given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.commands import doraflow

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_gets_an_environment_of_any_size(tmp_path: Path) -> None:
    settings = {"XDG_CACHE_HOME": str(tmp_path), **{f"MORE_{number}": "x" * 10_000 for number in range(40)}}
    (tmp_path / "flow.yml").write_text("nodes: [{id: a, path: a.py, env: {LAST: $MORE_39}}]\n")
    done = doraflow("check", "flow.yml", "--no-sources", cwd=tmp_path, env={**os.environ, **settings}, timeout=60.0)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
