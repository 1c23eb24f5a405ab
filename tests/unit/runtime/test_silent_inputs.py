"""Inputs that fall silent, and signs of life, as a node itself sees to them while it waits."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.runtime.waiting import wait_for_state

if TYPE_CHECKING:
    import subprocess

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

SILENT = 0.2


@pytest.fixture
def nodes(run: Run) -> tuple[Node, Node]:
    run.pair(policy="drop_oldest")
    (port,) = run.inputs["b"]
    run.inputs["b"] = [replace(port, timeout=SILENT)]
    sender, reader = run.join("a", "b")
    return sender, reader


def events(node: Node, count: int) -> list[tuple[str, str | None]]:
    found = []
    for _ in range(count):
        event = node.next(20)
        assert event is not None
        found.append((event.type, event.id))
    return found


def test_a_silent_input_is_told_as_closed_once_and_recovers_with_its_next_message(nodes: tuple[Node, Node]) -> None:
    sender, reader = nodes
    assert reader.next(2 * SILENT) is None  # it is armed by the first message
    sender.send_output("out", b"x")
    assert events(reader, 2) == [("INPUT", "in"), ("INPUT_CLOSED", "in")]
    sender.send_output("out", b"x")
    assert events(reader, 3) == [("INPUT", "in"), ("INPUT_RECOVERED", "in"), ("INPUT_CLOSED", "in")]
    assert reader.next(2 * SILENT) is None
    sender.close()
    assert events(reader, 1) == [("STOP", "ALL_INPUTS_CLOSED")]


def test_each_message_arms_the_deadline_of_its_input_again(nodes: tuple[Node, Node]) -> None:
    sender, reader = nodes
    deadlines = reader._core._reception.deadlines
    for _ in range(3):
        before = time.monotonic()
        sender.send_output("out", b"x")
        while events(reader, 1) != [("INPUT", "in")]:
            pass
        due = deadlines.wait_seconds(0)
        assert due is None or due > before + SILENT  # None on a machine so slow that it is over


READ = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for event in node:
        print(event.type, flush=True)
"""


def stop_before_it_is_silent(reader: subprocess.Popen[str], sender: Node, timeout: float) -> None:
    """Stop the reader after a message, before its input may be told as silent; on a busy machine again and again."""
    assert reader.stdout is not None
    for _ in range(60):
        sent = time.monotonic()
        sender.send_output("out", b"x")
        assert "INPUT\n" in reader.stdout  # reads up to there
        wait_for_state(reader.pid, "S (sleeping)")
        reader.send_signal(signal.SIGSTOP)
        wait_for_state(reader.pid, "T (stopped)")
        if time.monotonic() < sent + timeout:
            return
        reader.send_signal(signal.SIGCONT)
    raise AssertionError("the input was silent each time before the reader could be stopped")


@pytest.mark.parametrize("core", ["auto", "off"])
def test_what_came_while_the_reader_was_stopped_is_no_silence(
    run: Run, monkeypatch: pytest.MonkeyPatch, core: str
) -> None:
    monkeypatch.setenv("DORAFLOW_CORE", core)
    run.pair(policy="drop_oldest")
    (port,) = run.inputs["b"]
    run.inputs["b"] = [replace(port, timeout=1.0)]
    reader = run.spawn("b", READ)
    (sender,) = run.join("a")
    assert reader.stdout is not None
    stop_before_it_is_silent(reader, sender, 1.0)
    sender.send_output("out", b"x")
    time.sleep(1.1)
    reader.send_signal(signal.SIGCONT)
    assert reader.stdout.readline() == "INPUT\n"
    sender.close()
    run.finish(reader)


def test_a_node_that_waits_shows_that_it_lives(run: Run) -> None:
    run.pair()
    _, reader = run.join("a", "b")
    reader._core.sign_ns = 10_000_000
    reader._core.gate.sign_due_ns = 0
    said = run.connections["b"]
    said.settimeout(20)
    signs, limit = 0, time.monotonic() + 20
    while signs < 3 and time.monotonic() < limit:
        assert reader.next(0.05) is None
        signs += said.recv(4096).count(b'{"type": "alive"}')
    assert signs >= 3
