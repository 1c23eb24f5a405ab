"""All hosts at once: phases, failures, and hosts that are kept awake while others work."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from doraflow.deploy import fleet as fleets
from doraflow.deploy.errors import DeployError
from doraflow.deploy.fleet import assembled
from doraflow.deploy.session import Session
from doraflow.deploy.ssh import Way
from doraflow.deploy.targets import Target
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Stage:
    detail: str = ""
    failed: bool = False


@dataclass
class Quiet(Session):
    """A session that notes what is done to it."""

    pinged: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)

    def ping(self) -> None:
        self.pinged.set()

    def close(self) -> None:
        self.ended.append("closed")

    def abort(self) -> None:
        self.ended.append("aborted")


@contextlib.contextmanager
def telling(_stage: str, _host: str) -> Iterator[Stage]:
    yield Stage()


def sessions(*hosts: str) -> list[Quiet]:
    return [Quiet(Target(host, host), Way()) for host in hosts]


def test_a_host_that_fails_is_told_and_left_out_of_the_next_phase() -> None:
    sink, two = Sink(), sessions("first", "second")

    def work(session: Session) -> str:
        if session.target.host == "first":
            raise DeployError("DF871", "it is away", "bring it back", ("a note",))
        return "well"

    with assembled(two, telling, sink) as fleet:
        assert fleet.each("copying", work) == {"second": "well"}
        assert fleet.each("switching", lambda session: session.target.host) == {"second": "second"}
        assert not fleet.is_well
    (found,) = sink.diagnostics()
    assert (found.code, found.message, found.notes, found.help) == ("DF871", "it is away", ("a note",), "bring it back")
    assert [session.ended for session in two] == [["closed"], ["closed"]]


def test_a_host_that_waits_for_others_is_kept_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "_PING_SECONDS", 0.05)
    quick, slow = sessions("quick", "slow")
    with assembled([quick, slow], telling, Sink()) as fleet:
        told = fleet.each("copying", lambda session: session is quick or quick.pinged.wait(30))
    assert told == {"quick": True, "slow": True}
    assert not slow.pinged.is_set()


def test_an_interrupt_ends_every_connection() -> None:
    two = sessions("first", "second")
    with pytest.raises(KeyboardInterrupt), assembled(two, telling, Sink()):
        raise KeyboardInterrupt
    assert [session.ended for session in two] == [["aborted", "closed"], ["aborted", "closed"]]


def test_an_interrupt_hangs_up_only_once_nobody_uses_the_connection() -> None:
    (only,) = sessions("only")
    begun, aborted = threading.Event(), threading.Event()

    def work(_session: Session) -> None:
        begun.set()
        assert aborted.wait(30)
        only.ended.append("left by its thread")

    def interrupted(_futures: object, **_options: object) -> None:
        assert begun.wait(30)
        threading.Timer(0.2, aborted.set).start()
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleets, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt), assembled([only], telling, Sink()) as fleet:
            fleet.each("copying", work)
    assert only.ended == ["aborted", "left by its thread", "closed"]


def test_a_connection_that_is_being_made_is_ended_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(Target("edge", "edge"), Way(seconds=60))
    monkeypatch.setattr("doraflow.deploy.session.ssh_command", lambda _destination, _way: ["sleep", "600"])
    session.abort()
    with pytest.raises(DeployError):
        session.connect()
    session.close()
