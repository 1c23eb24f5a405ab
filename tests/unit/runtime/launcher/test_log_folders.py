"""The folders of logs: private, told apart, and not kept for ever."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.findings import Finding, LaunchError
from doraflow_runtime.launcher.log_folders import create_folder, default_folder, remove_oldest

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [f"2026010{day}T000000Z-{day}" for day in range(1, 6)]


def test_logs_lie_in_the_state_folder_of_the_user() -> None:
    assert str(default_folder("d", {"XDG_STATE_HOME": "/s"}).parent) == "/s/doraflow/d"
    assert str(default_folder("d", {"HOME": "/h"}).parent) == "/h/.local/state/doraflow/d"


def test_a_log_folder_is_private_and_says_what_run_it_is_of(tmp_path: Path) -> None:
    folder = create_folder(tmp_path / "a" / "b", "flow", "1b4e", ["x", "y"], "night")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    described = json.loads((folder.path / "run.json").read_text())
    assert described.pop("began").endswith("+00:00")
    assert described == {
        "dataflow": "flow",
        "run": "1b4e",
        "name": "night",
        "process": os.getpid(),
        "nodes": ["x", "y"],
    }
    folder.close()


def test_a_folder_that_exists_will_do_also_while_another_launcher_uses_it(tmp_path: Path) -> None:
    first = create_folder(tmp_path, "flow", "1", [])
    second = create_folder(tmp_path, "flow", "2", [])
    assert second.lock is None
    assert json.loads((tmp_path / "run.json").read_text())["run"] == "1"
    second.close()
    first.close()
    create_folder(tmp_path, "flow", "3", []).close()
    assert json.loads((tmp_path / "run.json").read_text())["run"] == "3"


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(LaunchError) as caught:
        create_folder(tmp_path, "flow", "1", [])
    assert caught.value.findings == (
        Finding(
            "DF806",
            f"the log folder `{tmp_path}` cannot be used: permission denied",
            help="name another one with `--log-dir DIR`",
        ),
    )


def test_the_folders_of_the_newest_runs_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in NAMES:
        create_folder(tmp_path / name, "flow", name, []).close()
        (tmp_path / name / "a.jsonl").write_text("{}\n")
    remove_oldest(tmp_path / NAMES[-1], 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*NAMES[-2:], "mine"]


def test_a_folder_in_use_is_never_removed(tmp_path: Path) -> None:
    alive = create_folder(tmp_path / NAMES[0], "flow", "1", [])
    beginning = tmp_path / NAMES[1]
    beginning.mkdir()
    long_dead = tmp_path / NAMES[2]
    long_dead.mkdir()
    os.utime(long_dead, (0, 0))
    newest = create_folder(tmp_path / NAMES[4], "flow", "5", [])
    remove_oldest(newest.path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAMES[0], NAMES[1], NAMES[4]]
    alive.close()
    newest.close()
