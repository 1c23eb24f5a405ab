"""Senders that have no memory for a message: they ask their readers for slots, and hear of each that comes back."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.node_api import own_memory

from tests.unit.runtime.rings import LOOK, PLACES, RETURNED, SEEN, WANTS, Stranger
from tests.unit.runtime.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)

LARGE = 10_000


# ---- a producer, and a stranger that reads from it


@pytest.fixture
def stranger(run: Run) -> Iterator[Stranger]:
    """A stranger for which its producer waits, with memory for one message."""
    made = Stranger(run, 1)
    made.node._core.pool.limit = 16_384
    yield made
    made.connection.close()


def test_a_producer_without_memory_asks_for_slots_and_is_woken_by_a_frame(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = stranger.node._core
    wait = core.wait
    monkeypatch.setattr(core, "wait", lambda _timeout, since: wait(None, since))  # only a frame wakes it
    stranger.send(0, LARGE)
    (key,) = stranger.keys()
    waiting = threading.Thread(target=stranger.send, args=(1, LARGE))
    waiting.start()
    wait_until(lambda: stranger.ring.get(WANTS) and core.gate.is_claimed)
    stranger.ring.set(SEEN, 1)
    stranger.give_back(key)
    stranger.ring.set(WANTS, 0)
    stranger.connection.sendall(LOOK)
    waiting.join(20)
    assert not waiting.is_alive()
    assert stranger.keys() != [key]


@pytest.fixture
def loose_stranger(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stranger]:
    """A stranger whose link may drop messages, and whose share of the memory is 128 KiB."""
    monkeypatch.setattr(own_memory, "DEFAULT_LIMIT", 512 * 1024)
    made = Stranger(run, policy="drop_oldest")
    yield made
    made.connection.close()


def test_a_producer_that_holds_messages_back_asks_for_slots_and_sends_them_when_it_is_told(
    loose_stranger: Stranger,
) -> None:
    stranger, node = loose_stranger, loose_stranger.node
    for number in range(2):
        stranger.send(number, 90_000)
    assert stranger.ring.get(WANTS) == 0
    keys = stranger.keys()
    stranger.send(2, 90_000)
    (consumer,) = node._core.consumers.values()
    assert (consumer.waiting, stranger.ring.get(WANTS)) == (1, 1)
    waiting = threading.Thread(target=node.next, args=(20,))
    waiting.start()
    wait_until(lambda: node._core.gate.is_claimed)
    stranger.ring.set(SEEN, 2)
    stranger.give_back(*keys)
    stranger.ring.set(WANTS, 0)
    stranger.connection.sendall(LOOK)
    wait_until(lambda: consumer.waiting == 0)
    assert len(stranger.reader.messages()) == 3
    node.close()
    waiting.join(20)


def test_slots_that_came_back_before_a_message_is_held_let_it_go_at_once(loose_stranger: Stranger) -> None:
    stranger, node = loose_stranger, loose_stranger.node
    for number in range(2):
        stranger.send(number, 90_000)
    stranger.ring.set(SEEN, 2)
    stranger.give_back(*stranger.keys())
    stranger.node._sender.send_slowly("out", bytes(90_000), None)
    (consumer,) = node._core.consumers.values()
    assert (consumer.waiting, len(stranger.keys())) == (0, 1)


def test_a_head_that_lies_to_a_producer_that_waits_ends_its_connection_alone(
    loose_stranger: Stranger, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        loose_stranger.send(number, 90_000)
    loose_stranger.ring.set(RETURNED, PLACES + 1)
    loose_stranger.node._sender.send_slowly("out", bytes(90_000), None)
    assert "closed the connection of `b`: a malformed ring" in capfd.readouterr().out
    assert loose_stranger.keys() == []


# ---- real senders, and a reader that lets go of messages at odd moments


PATIENCE = 50.0
WAITING_FOR_MEMORY = """
import random, time
from doraflow_runtime.node_api.core import Core
from doraflow_runtime.node_api.node import Node
wait = Core.wait
Core.wait = lambda core, timeout, since: wait(core, 60.0, since)  # else it looks again after a moment
chance = random.Random(5)
with Node() as node:
    node._core.pool.limit = 3 * 16_384
    for number in range(3_000):
        began = time.monotonic()
        node.send_output("out", number.to_bytes(4, "little") + bytes(10_000))
        assert time.monotonic() - began < 50
        if chance.random() < 0.05:
            time.sleep(chance.random() / 5000)
"""

HOLDING_BACK = """
import random, sys, threading, time
from doraflow_runtime.node_api import own_memory
from doraflow_runtime.node_api.node import Node
own_memory.DEFAULT_LIMIT = 512 * 1024
chance = random.Random(5)
with Node() as node:
    threading.Thread(target=node.next, daemon=True).start()  # so that nobody looks again after a moment
    for number in range(1_000):
        node.send_output("out", number.to_bytes(4, "little") + bytes(90_000))
        time.sleep(chance.random() / 5000)
    sys.stdin.read()
"""


def take_and_keep(node: Node, last: int) -> list[int]:
    """Take messages up to the last one; keep some of them, and let go of some just before the node waits."""
    chance = random.Random(6)
    kept: list[object] = []
    numbers = [-1]
    while numbers[-1] < last:
        patience = chance.choice([0.0, 0.0005, PATIENCE])
        event = node.next(patience)
        if event is None:
            assert patience < PATIENCE, f"nothing came after {numbers[-1]}"
        else:
            assert event.type == "INPUT"
            assert event.value is not None
            numbers.append(int.from_bytes(bytes(event.value[:4].to_pylist()), "little"))
            kept.append(event)
            del event
        while kept and chance.random() < (0.4 if len(kept) < 2 else 1):
            kept.pop(0)
    return numbers[1:]


def test_a_sender_without_memory_hears_of_every_slot_however_late_its_reader_lets_go(run: Run) -> None:
    run.pair(size=16)
    sending = run.spawn("a", WAITING_FOR_MEMORY)
    (node,) = run.join("b")
    assert take_and_keep(node, 2_999) == list(range(3_000))
    run.finish(sending)


def test_the_newest_message_arrives_however_late_a_reader_lets_go_of_those_before(run: Run) -> None:
    run.pair(size=3, policy="drop_oldest")
    sending = run.spawn("a", HOLDING_BACK)
    (node,) = run.join("b")
    numbers = take_and_keep(node, 999)
    assert numbers == sorted(set(numbers))
    run.finish(sending)
