"""What may be asked of single nodes: carried out on processes that stand in for nodes, or refused with the reason."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.endings import Ending
from doraflow_runtime.launcher.health import Health
from doraflow_runtime.launcher.members import Guest, Member, Members
from doraflow_runtime.launcher.orders import Orders
from doraflow_runtime.launcher.restarts import RestartRules, Restarts
from doraflow_runtime.launcher.status import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow_runtime.launcher.joining import Joining

IGNORES = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
ENDS = "import time; print('ready', flush=True); time.sleep(60)"


class FakeJoining:
    """Notes what readers are told."""

    def __init__(self) -> None:
        self.is_started = True
        self.is_stopping = False
        self.told: list[tuple[str, str]] = []

    def tell_readers(self, node: str, kind: str) -> None:
        self.told.append((node, kind))


class Setting:
    """Two nodes, a guest, and the orders."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.joining = FakeJoining()
        self.members = Members(guests={"guest": Guest("guest")})
        self.orders = Orders(self.members, cast("Joining", self.joining), Health(1.0), grace=0.0)

    def node(self, name: str, code: str = ENDS) -> Member:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
        assert process.stdout is not None
        process.stdout.readline()
        self.processes.append(process)
        restarts = Restarts(RestartRules(), 0.0)
        member = Member(Process(name, "python"), process.pid, cast("Any", None), restarts, has_arrived=True)
        self.members.add(member)
        return member

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    yield made
    made.end()


def test_a_node_is_stopped_for_good(setting: Setting) -> None:
    member = setting.node("a")
    setting.orders.stop_node("a")
    assert setting.processes[0].wait(30) == -signal.SIGTERM
    assert (member.is_leaving, setting.joining.told) == (True, [])
    assert [node.state for node in setting.orders.states()] == ["stopping", "absent"]
    with pytest.raises(Refused, match="`a` is being stopped already"):
        setting.orders.stop_node("a")
    with pytest.raises(Refused, match="`a` is being stopped"):
        setting.orders.restart("a")


def test_a_node_that_ignores_sigterm_is_killed_after_the_grace(setting: Setting) -> None:
    member = setting.node("a", IGNORES)
    setting.orders.restart("a")
    for _ in range(3):
        setting.orders.due(1e12)
    assert setting.processes[0].wait(30) == -signal.SIGKILL
    assert (member.was_killed, member.is_ordered) == (True, True)
    assert setting.joining.told == [("a", "will_return")]


def test_a_node_that_waits_to_be_started_again_can_be_stopped(setting: Setting) -> None:
    member = setting.node("a")
    member.ending, member.restart_at = Ending(1), 1e12
    assert setting.orders.states()[0].state == "restarting"
    with pytest.raises(Refused, match="`a` has ended and is about to be started again"):
        setting.orders.restart("a")
    setting.orders.stop_node("a")
    assert (member.is_leaving, member.restart_at) == (True, 0.0)


def test_a_paused_node_runs_on_before_it_is_stopped(setting: Setting) -> None:
    member = setting.node("a")
    setting.orders.pause("a")
    assert member.is_paused
    assert setting.orders.states()[0].paused
    setting.orders.stop_node("a")
    assert setting.processes[0].wait(30) == -signal.SIGTERM
    assert not member.is_paused


def test_what_cannot_be_asked_is_refused(setting: Setting) -> None:
    setting.node("a")
    ended = setting.node("b")
    ended.ending = Ending(0)
    for node, message in (
        ("c", "there is no node `c` in this run; its nodes are: `a`, `b`"),
        ("b", "`b` has ended"),
        ("guest", "`guest` is a dynamic node: whoever has started its process ends it"),
    ):
        with pytest.raises(Refused) as refused:
            setting.orders.restart(node)
        assert str(refused.value) == message
    setting.joining.is_stopping = True
    with pytest.raises(Refused, match="the run is being stopped, and `a` with it"):
        setting.orders.pause("a")
