"""Units of systemd on the host: a deploy finds those that run its dataflow, and goes on without systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.deploy.errors import DeployError
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.units import refuse_unit
from tests.unit.deploy.test_conversation import session

if TYPE_CHECKING:
    from pathlib import Path

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
