"""What the report says of each host after a deploy that came to an end on some of them only."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pytest

from doraflow.deploy import deploying
from doraflow.deploy.deploying import Deploy, Wishes
from doraflow.deploy.errors import DeployError
from doraflow.deploy.key_parcels import Parcel
from doraflow.deploy.reports import DeployReport, HandedKeys, HostReport, lines_of
from doraflow.deploy.session import Moved, Session
from doraflow.deploy.shares import Share
from doraflow.deploy.ssh import Way
from doraflow.deploy.targets import Target
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.deploy.key_parcels import Handing
    from doraflow.ir import BuildStep

HOSTS = ("first", "second")


@dataclass
class Stage:
    detail: str = ""
    failed: bool = False


@contextlib.contextmanager
def telling(_stage: str, _host: str) -> Iterator[Stage]:
    yield Stage()


@dataclass
class Played(Session):
    """A host that does all that it is asked, but for what `failing` names, and runs what `running` says."""

    failing: ClassVar[dict[str, str]] = {}
    running: ClassVar[dict[str, list[str]]] = {}

    def _do(self, what: str) -> None:
        if self.failing.get(self.target.host) == what:
            raise DeployError("DF879", f"on `{self.target.host}`: it does not {what}", "see to it")

    def connect(self) -> None:
        self._do("connect")

    def open(self, _dataflow: str, *, changes: bool) -> None:
        self._do("open" if changes else "look")

    def copy(self, share: Share) -> Moved:
        return Moved(share.version, 1, 10, 2, 20, before="old")

    def prepare(self, _name: str, _steps: Sequence[BuildStep], _seconds: float, *, environment: bool) -> None:
        assert not environment

    def look_at_keys(self, _ring: str) -> tuple[str, dict[str, str]]:
        return "keys", {}

    def hand_keys(self, _handing: Handing) -> None:
        self._do("take keys")

    def switch(self, _version: str, _keep: int) -> str:
        self._do("switch")
        return "old"

    def look_for_units(self, wish: str) -> None:
        self._do(f"{wish} without a unit")

    def previous(self) -> str:
        return "old"

    def go_back(self) -> str:
        return "new"

    def stop(self, _seconds: float) -> list[str]:
        self._do("stop")
        return self.running.get(self.target.host, [])

    def start(self, _options: list[str], _seconds: float) -> str:
        self._do("start")
        return f"run-{self.target.host}"


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploying, "Session", Played)
    monkeypatch.setattr(Played, "failing", {})
    monkeypatch.setattr(Played, "running", {})


def deployed(*, starts: bool = True, keys: bool = False) -> list[HostReport]:
    deploy = Deploy("flow", tuple(Target(host, host) for host in HOSTS), Way(), telling, Sink())
    shares = {host: Share(host, "new", ()) for host in HOSTS}
    parcels = {host: Parcel("flow", host, {f"{host}.secret": "x"}) for host in HOSTS if keys}
    return list(deploying.copy_and_switch(deploy, shares, parcels, Wishes(starts=starts)))


def told(rows: list[HostReport]) -> list[str]:
    return lines_of(DeployReport(1, "flow", tuple(rows)))


def test_a_deploy_that_goes_well_tells_what_runs() -> None:
    Played.running = {"first": ["old-1"]}
    rows = deployed()
    assert [(row.state, row.run) for row in rows] == [("deployed", "run-first"), ("deployed", "run-second")]
    assert told(rows) == [
        "first   new is current, before it old, runs as run-first",
        "second  new is current, before it old, runs as run-second",
    ]


def test_a_host_that_was_stopped_and_not_started_is_told_as_stopped() -> None:
    Played.running = {"first": ["old-1"], "second": ["old-2"]}
    Played.failing = {"second": "stop"}
    rows = deployed()
    assert [(row.state, row.version, row.run) for row in rows] == [("stopped", "new", None), ("failed", "new", None)]
    assert told(rows) == [
        "first   new is current, before it old; old-1 is stopped, and nothing is started, since `second` failed",
        "second  failed: new is current, but on `second`: it does not stop",
    ]


def test_a_host_where_nothing_ran_tells_that_nothing_was_started() -> None:
    Played.failing = {"second": "stop"}
    assert told(deployed()) == [
        "first   new is current, before it old; nothing is started, since `second` failed",
        "second  failed: new is current, but on `second`: it does not stop",
    ]


def test_a_failed_start_tells_what_was_stopped_before_it_and_what_runs_on_the_others() -> None:
    Played.running = {"second": ["old-2"]}
    Played.failing = {"second": "start"}
    rows = deployed()
    assert [(row.state, row.run) for row in rows] == [("deployed", "run-first"), ("failed", None)]
    assert told(rows)[1] == ("second  failed: new is current, but old-2 is stopped, and on `second`: it does not start")


def test_a_failed_switch_stops_and_starts_nothing() -> None:
    Played.running = {"first": ["old-1"]}
    Played.failing = {"second": "switch"}
    assert told(deployed()) == [
        "first   new is current, before it old; nothing is started, since `second` failed",
        "second  failed: on `second`: it does not switch",
    ]
    assert told(deployed(starts=False))[0] == "first   new is current, before it old"


def test_a_unit_that_runs_the_dataflow_on_one_host_is_found_before_any_host_is_switched() -> None:
    Played.failing = {"second": "start without a unit"}
    assert [row.state for row in deployed()] == ["copied", "failed"]
    assert [row.state for row in deployed(starts=False)] == ["deployed", "deployed"]


def test_a_stop_that_leaves_the_run_of_a_unit_alone_does_not_say_that_nothing_ran() -> None:
    Played.failing = {"second": "stop without a unit", "third": "stop without a unit"}
    Played.running = {"first": ["old-1"], "third": ["old-3"]}
    deploy = Deploy("flow", tuple(Target(host, host) for host in (*HOSTS, "third")), Way(), telling, Sink())
    assert told(list(deploying.stop(deploy, Wishes()))) == [
        "first   stopped old-1",
        "second  failed: on `second`: it does not stop without a unit",
        "third   failed: stopped old-3, but on `third`: it does not stop without a unit",
    ]


def test_a_rollback_tells_the_same() -> None:
    Played.running = {"first": ["new-1"]}
    Played.failing = {"second": "stop"}
    deploy = Deploy("flow", tuple(Target(host, host) for host in HOSTS), Way(), telling, Sink())
    assert told(list(deploying.roll_back(deploy, Wishes(starts=True)))) == [
        "first   old is current, before it new; new-1 is stopped, and nothing is started, since `second` failed",
        "second  failed: old is current, but on `second`: it does not stop",
    ]


@pytest.mark.parametrize("failing", ["switch", "stop", "start"])
def test_a_host_that_fails_after_its_keys_were_handed_over_keeps_them_in_its_row(failing: str) -> None:
    Played.failing = {"second": failing}
    rows = deployed(keys=True)
    assert [row.keys for row in rows] == [HandedKeys(added=(f"{host}.secret",)) for host in HOSTS]
    assert told(rows)[1].endswith(f"on `second`: it does not {failing}; keys: second.secret added")
