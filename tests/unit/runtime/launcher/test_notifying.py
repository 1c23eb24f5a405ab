"""What systemd is told of a run, in datagrams to a real socket, and nothing where there is no such socket."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.console import Console
from doraflow_runtime.launcher.loop import Loop
from doraflow_runtime.launcher.notifying import notified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Told(Console):
    """Keeps what is told instead of showing it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def progress(self, event: str, message: str, **fields: object) -> None:
        self.messages.append((event, message))


class ServiceManager:
    """A socket as systemd opens one."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    manager = ServiceManager(str(tmp_path / "notify"))
    yield manager
    manager.socket.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


PATIENCE = 30.0


def next_word(loop: Loop, manager: ServiceManager) -> list[str]:
    """Let the loop turn until something is heard, and look for a moment whether more follows."""
    end = time.monotonic() + PATIENCE
    while not (heard := manager.heard()) and time.monotonic() < end:
        loop.run_once(0.01)
    turn(loop, 0.3)
    return heard + manager.heard()


def turn(loop: Loop, seconds: float) -> None:
    """Let the loop turn for a while."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        loop.run_once(left)


def test_a_run_is_told_as_ready_once_its_nodes_have_started_and_as_stopping_at_its_end(
    tmp_path: Path, manager: ServiceManager, loop: Loop
) -> None:
    phases = ["starting"]
    console = Told()
    with notified(lambda: phases[-1], {"NOTIFY_SOCKET": str(tmp_path / "notify")}, loop, console):  # type: ignore[arg-type,return-value]
        assert next_word(loop, manager) == ["STATUS=waiting for the nodes to join"]
        phases.append("running")
        assert next_word(loop, manager) == ["READY=1\nSTATUS=all nodes have started"]
    assert manager.heard() == ["STOPPING=1\nSTATUS=stopping"]
    assert console.messages == []


def test_a_run_that_was_over_at_once_has_been_ready_all_the_same(
    tmp_path: Path, manager: ServiceManager, loop: Loop
) -> None:
    with notified(lambda: "running", {"NOTIFY_SOCKET": str(tmp_path / "notify")}, loop, Told()):
        pass
    assert [text.partition("\n")[0] for text in manager.heard()] == ["READY=1", "STOPPING=1"]


def test_a_run_that_never_started_is_never_told_as_ready(tmp_path: Path, manager: ServiceManager, loop: Loop) -> None:
    phases = ["starting"]
    with notified(lambda: phases[-1], {"NOTIFY_SOCKET": str(tmp_path / "notify")}, loop, Told()):  # type: ignore[arg-type,return-value]
        turn(loop, 0.05)
        phases.append("stopping")
    assert not any("READY" in text for text in manager.heard())


def test_a_socket_without_a_file_is_reached_too(loop: Loop) -> None:
    name = f"doraflow-test-{os.getpid()}-{time.monotonic_ns()}"
    manager = ServiceManager(f"\0{name}")
    with notified(lambda: "running", {"NOTIFY_SOCKET": f"@{name}"}, loop, Told()):
        pass
    assert manager.heard()[0].startswith("READY=1")
    manager.socket.close()


@pytest.mark.parametrize("is_named", [False, True])
def test_signs_of_life_come_twice_as_often_as_they_are_awaited(
    tmp_path: Path, manager: ServiceManager, loop: Loop, is_named: bool
) -> None:
    given = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    if is_named:
        given["WATCHDOG_PID"] = str(os.getpid())
    with notified(lambda: "running", given, loop, Told()):
        counts: list[int] = []
        while len(counts) < 20 and (not counts or counts[-1] < 5):  # others may have had the processor for half of it
            turn(loop, 1.05)
            counts.append(manager.heard().count("WATCHDOG=1"))
    assert 5 <= max(counts) <= 11


@pytest.mark.parametrize("given", [{"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {}])
def test_signs_that_nobody_awaits_of_this_process_are_not_given(
    tmp_path: Path, manager: ServiceManager, loop: Loop, given: dict[str, str]
) -> None:
    with notified(lambda: "running", {"NOTIFY_SOCKET": str(tmp_path / "notify"), **given}, loop, Told()):
        turn(loop, 0.3)
    assert "WATCHDOG=1" not in manager.heard()


@pytest.mark.parametrize("given", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_socket_nothing_is_done(loop: Loop, given: dict[str, str]) -> None:
    def never() -> str:
        raise AssertionError("nobody asks how the run goes")

    with notified(never, given, loop, Told()):  # type: ignore[arg-type]
        turn(loop, 0.05)


def test_a_service_manager_that_is_gone_is_told_once_and_the_run_goes_on(tmp_path: Path, loop: Loop) -> None:
    console = Told()
    given = {"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "20000"}
    with notified(lambda: "running", given, loop, console):
        turn(loop, 0.2)
    assert console.messages == [
        ("unnotified", "the service manager cannot be told how the run goes: no such file or directory")
    ]
