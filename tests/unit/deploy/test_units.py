"""Units of systemd on the host: a deploy finds those that run its dataflow, and goes on without systemd."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.places import LOCK, RunFacts, base_directory, write_facts

from doraflow.deploy.errors import DeployError
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import Place
from doraflow.deploy.remote.runs import FoundRun, find
from doraflow.deploy.remote.units import refuse_unit, run_folders
from doraflow.deploy.reports import DeployedRun, DeployStatus, HostStatus, lines_of
from tests.unit.deploy.test_conversation import deployed, session, share

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "flow-edge-2"
SAID = f"the unit `{UNIT}.service` runs this dataflow, and `--start` would put a second launcher beside it"
KEPT = f"the unit `{UNIT}.service` runs this dataflow, and `--stop` ends only what a deploy has started"


def systemctl(folder: Path, body: str, patch: pytest.MonkeyPatch) -> None:
    """Put another systemctl in the place of the system's."""
    program = folder / "bin/systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/asked\n{body}\n')
    program.chmod(0o755)
    patch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("scope", "state", "mend"),
    [
        ("--user", "active", f"systemctl --user restart {UNIT}"),
        ("--user", "activating", f"systemctl --user restart {UNIT}"),
        ("--system", "reloading", f"sudo systemctl restart {UNIT}"),
        ("--system", "deactivating", f"sudo systemctl restart {UNIT}"),
    ],
)
def test_a_unit_that_runs_the_dataflow_is_told_with_what_restarts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str, state: str, mend: str
) -> None:
    systemctl(tmp_path, f'[ "$1" = {scope} ] && echo {state} || echo inactive', monkeypatch)
    with pytest.raises(RemoteError) as caught:
        refuse_unit("flow", "edge.2", "start", lambda: None)
    assert (caught.value.code, str(caught.value)) == ("DF889", SAID)
    assert caught.value.help == f"deploy without `--start`, then run `{mend}` there"


@pytest.mark.parametrize("body", ["echo inactive; exit 3", "echo failed", "echo no bus >&2; exit 1", "kill -9 $$"])
def test_a_unit_that_does_not_run_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    systemctl(tmp_path, body, monkeypatch)
    refuse_unit("flow", "edge.2", "start", lambda: None)
    assert (tmp_path / "asked").read_text().splitlines() == [
        "--user is-active flow-edge-2.service",
        "--system is-active flow-edge-2.service",
    ]


def test_a_host_without_systemd_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse_unit("flow", "edge.2", "start", lambda: None)


def test_a_stop_is_told_that_the_run_is_that_of_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, "echo active", monkeypatch)
    with session(tmp_path, host="edge.2", changes=False) as opened, pytest.raises(DeployError) as caught:
        opened.look_for_units("stop")
    assert (caught.value.code, str(caught.value)) == ("DF889", f"on `edge.2`: {KEPT}")
    assert caught.value.help == f"run `systemctl --user stop {UNIT}` there"


@contextmanager
def running(folder: Path, name: str, version: Path) -> Iterator[None]:
    """A run of a version, whose launcher goes on for the length of the block."""
    (folder / name).mkdir(parents=True)
    write_facts(folder / name, RunFacts(name, "flow", "edge", os.getpid(), f"2026-01-0{name[-1]}", "", str(version), 1))
    with (folder / name / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_runs_of_units_are_told_with_their_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(tmp_path, share({"runtime/x": b""}))
    place, own, unit = Place(tmp_path / "flow/edge"), tmp_path / "own", tmp_path / "unit"
    monkeypatch.setenv("DORAFLOW_RUN_BASE", str(own))
    assert base_directory(os.environ) == own
    with running(own, "flow-1", place.version("v1")), running(unit, "flow-2", place.version("v1")):
        found = find(place, {unit: "flow-edge.service of the user"})
        assert find(place) == found[:1]
        monkeypatch.setenv("DORAFLOW_RUN_BASE", str(unit))
        (once,) = find(place, {unit: "flow-edge.service of the user"})
    assert found == (
        FoundRun("flow-1", "v1", os.getpid(), "2026-01-01"),
        FoundRun("flow-2", "v1", os.getpid(), "2026-01-02", "flow-edge.service of the user"),
    )
    assert once == found[1]
    told = DeployStatus(
        1, "flow", (HostStatus("edge", "", True, runs=tuple(DeployedRun(**asdict(run)) for run in found)),)
    )
    assert lines_of(told)[1:] == [
        f"  v1  runs as flow-1, process {os.getpid()}",
        f"  v1  runs as flow-2, process {os.getpid()}, in the unit flow-edge.service of the user",
    ]


def test_runs_are_told_oldest_first_wherever_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(tmp_path, share({"runtime/x": b""}))
    place, own, unit = Place(tmp_path / "flow/edge"), tmp_path / "own", tmp_path / "unit"
    monkeypatch.setenv("DORAFLOW_RUN_BASE", str(own))
    version = place.version("v1")
    with (
        running(own, "b-3", version),
        running(own, "d-1", version),
        running(unit, "c-2", version),
        running(unit, "a-3", version),
    ):
        found = find(place, {unit: "flow-edge.service of the user"})
    assert [run.run for run in found] == ["d-1", "c-2", "a-3", "b-3"]


def test_a_unit_is_found_by_where_its_runs_lie() -> None:
    assert run_folders("flow", "edge.2") == {
        Path(f"/run/user/{os.getuid()}/doraflow/{UNIT}/run"): f"{UNIT}.service of the user",
        Path(f"/run/doraflow/{UNIT}/run"): f"{UNIT}.service of the system",
    }
