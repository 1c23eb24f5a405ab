"""Run directories: private, locked, swept when stale."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from doraflow_runtime.control.places import base_directory
from doraflow_runtime.launcher import run_directory
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.leftovers import end_leftovers


def test_a_run_directory_is_private_and_named_after_the_dataflow(tmp_path: Path) -> None:
    base = tmp_path / "base"
    run = run_directory.create(base, "vision", "0123abcd")
    assert run.path == base / "vision-0123abcd"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (base, run.path, run.path / "lock")] == [0o700, 0o700, 0o600]
    run.remove()
    assert list(base.iterdir()) == []


def test_a_living_run_is_not_swept_and_a_stale_one_is(tmp_path: Path) -> None:
    base = tmp_path / "base"
    living = run_directory.create(base, "flow", "1")
    stale = run_directory.create(base, "flow", "2")
    (stale.path / "pools" / "0").mkdir(parents=True)
    (stale.path / "pools" / "0" / "0.seg").write_bytes(b"x")
    os.close(stale.lock)
    new = run_directory.create(base, "flow", "3")
    assert sorted(path.name for path in base.iterdir()) == ["flow-1", "flow-3"]
    living.remove()
    new.remove()


def test_files_that_are_no_runs_are_left_alone(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir(mode=0o700)
    (base / "note").write_text("mine")
    (base / "link").symlink_to(tmp_path)
    run_directory.create(base, "flow", "1").remove()
    assert sorted(path.name for path in base.iterdir()) == ["link", "note"]


def test_a_base_where_nothing_can_be_made_is_told() -> None:
    with pytest.raises(LaunchError) as caught:
        run_directory.create(Path("/proc/nowhere"), "flow", "1")
    assert caught.value.findings[0].text() == (
        "error[DF806]: no directory for the run can be made in `/proc/nowhere`: no such file or directory\n"
        "hint: set `DORAFLOW_RUN_BASE` to a folder of your own"
    )


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda base: base.write_text(""), "it is not a directory"),
        (lambda base: base.symlink_to(base.parent), "it is not a directory"),
        (lambda base: base.mkdir(mode=0o755), "other users have access to it (mode 755)"),
    ],
)
def test_a_base_that_others_could_use_is_refused(tmp_path: Path, prepare: object, expected: str) -> None:
    base = tmp_path / "base"
    prepare(base)  # type: ignore[operator]
    with pytest.raises(LaunchError) as caught:
        run_directory.create(base, "flow", "1")
    (finding,) = caught.value.findings
    assert finding.message == f"no directory for the run can be made in `{base}`: {expected}"
    assert finding.help == "set `DORAFLOW_RUN_BASE` to a folder of your own"


def test_a_long_name_of_a_dataflow_is_shortened(tmp_path: Path) -> None:
    run = run_directory.create(tmp_path / "b", "n" * 200, "1")
    assert run.path.name == "n" * 32 + "-1"
    run.remove()


def test_the_base_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"doraflow-{os.getuid()}"
    assert base_directory({"DORAFLOW_RUN_BASE": "/somewhere"}) == Path("/somewhere")
    monkeypatch.setattr(os, "access", lambda path, mode: path == "/run/me")
    assert base_directory({"XDG_RUNTIME_DIR": "/run/me"}) == Path("/run/me", name)
    monkeypatch.setenv("TMPDIR", "/var/mine")
    monkeypatch.setattr("tempfile.tempdir", "/var/mine")
    assert base_directory({}) == Path("/var/mine", name)


def test_the_default_base_goes_with_its_last_run(tmp_path: Path) -> None:
    base = tmp_path / f"doraflow-{os.getuid()}"
    first, second = run_directory.create(base, "flow", "1"), run_directory.create(base, "flow", "2")
    first.remove()
    assert base.exists()
    second.remove()
    assert not base.exists()


COME_AND_GO = """
import sys
from pathlib import Path
from doraflow_runtime.launcher import run_directory
for number in range(40):
    run = run_directory.create(Path(sys.argv[1]), "flow", f"{sys.argv[2]}{number}")
    (run.path / "pools").mkdir()
    run.remove()
"""


def test_many_launchers_that_come_and_go_do_not_trip_over_each_other(tmp_path: Path) -> None:
    base = tmp_path / f"doraflow-{os.getuid()}"
    processes = [subprocess.Popen([sys.executable, "-c", COME_AND_GO, str(base), token]) for token in "abc"]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert not base.exists()


def test_only_processes_of_the_stale_run_are_ended(tmp_path: Path) -> None:
    stale, living = tmp_path / "flow-1", tmp_path / "flow-10"
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(100)"]
    processes = [
        subprocess.Popen(command, env={"DORAFLOW_CONFIG": f"{run}/nodes/0.json"}, stdout=subprocess.PIPE)
        for run in (stale, living)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        end_leftovers(stale)
        assert processes[0].wait(30) == -9
        time.sleep(0.05)
        assert processes[1].poll() is None
    finally:
        for process in processes:
            process.kill()
            process.communicate()
