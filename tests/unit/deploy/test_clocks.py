"""The clocks of hosts: one that differs is told of, by how much and in which direction, and nothing else is."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from doraflow.deploy import deploying
from doraflow.deploy.deploying import WORST_CLOCK, Deploy
from doraflow.deploy.fleet import assembled
from doraflow.deploy.sending import command
from doraflow.deploy.session import Session
from doraflow.deploy.ssh import Way
from doraflow.deploy.targets import Target
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_700_000_000.0
OTHER_CLOCK = """\
#!{python}
import sys, time
real = time.time
time.time = lambda: real() + {ahead}
exec(sys.argv[-1])
"""
"""A Python that runs what the deploy sends, and believes in another time."""


@dataclass
class Stage:
    detail: str = ""
    failed: bool = False


@contextlib.contextmanager
def telling(_stage: str, _host: str) -> Iterator[Stage]:
    yield Stage()


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (0.0, ""),
        (WORST_CLOCK, ""),
        (-WORST_CLOCK, ""),
        (WORST_CLOCK + 1, "31 s ahead of"),
        (-WORST_CLOCK - 1, "31 s behind"),
        (7200.4, "7200 s ahead of"),
        (-NOW, "1700000000 s behind"),  # a board without a battery begins in 1970
    ],
)
def test_a_clock_counts_as_wrong_when_it_is_off_by_more_than_half_a_minute(
    monkeypatch: pytest.MonkeyPatch, ahead: float, told: str
) -> None:
    monkeypatch.setattr(deploying.time, "time", lambda: NOW)
    hosts = {"right": NOW, "edge": NOW + ahead}
    sessions = {host: Session(Target(host, host), Way(), clock=clock) for host, clock in hosts.items()}
    connected: Any = SimpleNamespace(sessions=sessions, each=lambda _stage, _work: {})
    deploy = Deploy("flow", (), Way(), telling, Sink())
    deploy.begin(connected, changes=False)
    messages = [finding.message.partition(" this machine's")[0] for finding in deploy.sink.diagnostics()]
    assert messages == ([f"the clock of `edge` is {told}"] if told else [])


def test_the_host_itself_tells_what_its_clock_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "python"
    other.write_text(OTHER_CLOCK.format(python=sys.executable, ahead=-7200))
    other.chmod(0o755)
    monkeypatch.setattr(
        "doraflow.deploy.session.ssh_command", lambda _destination, way: ["sh", "-c", command(way.python)]
    )
    way = Way(python=str(other))
    deploy = Deploy("flow", (), way, telling, Sink())
    began = time.monotonic()
    edge = Session(Target("edge", "here", str(tmp_path / "base")), way)
    with assembled([edge], telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=False)
        assert fleet.is_well, "a wrong clock stops nothing"
    (told,) = deploy.sink.diagnostics()
    assert (told.code, told.severity) == ("DF877", "warning")
    message, _, consequence = told.message.partition(" s behind this machine's: ")
    seconds = int(message.removeprefix("the clock of `edge` is "))
    assert 7199 <= seconds <= 7201 + (time.monotonic() - began)
    assert consequence == "times in its logs cannot be compared, and certificates may count as invalid"
    assert told.help == "let both machines keep the time, as with `timedatectl set-ntp true`"
