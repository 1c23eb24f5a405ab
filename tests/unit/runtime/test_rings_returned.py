"""What comes back by the head of a ring: credits, what was seen, and slots; and heads that lie."""

from __future__ import annotations

import os
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.formats.arrow import byte_hole, lay_out
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.runtime.rings import (
    CREDITS,
    FETCHED,
    LOOK,
    PLACES,
    RETURNED,
    SEEN,
    SLOTS,
    WANTS,
    Sender,
    Stranger,
    message,
)
from tests.unit.runtime.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)

LARGE = 10_000


# ---- a producer, and a stranger that reads from it


@pytest.fixture
def stranger(run: Run) -> Iterator[Stranger]:
    made = Stranger(run, 1)
    yield made
    made.connection.close()


def test_a_producer_goes_on_with_credits_that_stand_in_the_head(stranger: Stranger) -> None:
    for number in range(3):
        stranger.send(number)
    stranger.ring.set(CREDITS, 2)
    stranger.send(3)
    stranger.send(4)
    assert stranger.reader.messages() == [0, 1, 2, 3, 4]
    (consumer,) = stranger.node._core.consumers.values()
    assert consumer.lanes[1].credits == 0


def test_a_producer_that_waits_says_so_and_is_woken_by_a_frame(stranger: Stranger) -> None:
    for number in range(3):
        stranger.send(number)
    waiting = threading.Thread(target=stranger.send, args=(3,))
    waiting.start()
    wait_until(lambda: stranger.ring.get(WANTS))
    time.sleep(0.01)  # past the moment for which it waits in the core
    stranger.ring.set(CREDITS, 1)
    stranger.ring.set(WANTS, 0)
    stranger.connection.sendall(LOOK)
    waiting.join(20)
    assert not waiting.is_alive()
    assert stranger.reader.messages() == [0, 1, 2, 3]


def test_slots_that_stand_in_the_head_are_used_again(stranger: Stranger) -> None:
    for number in range(200):
        stranger.send(number, LARGE)
        (key,) = stranger.keys()
        stranger.ring.set(SEEN, number + 1)
        stranger.give_back(key)
        stranger.ring.set(CREDITS, number + 1)
    stranger.node.is_empty()
    stranger.connection.sendall(LOOK)
    stranger.node.is_empty()
    assert stranger.ring.get(FETCHED) == 200
    assert stranger.node._core.pool.slots == []


NOTICING: dict[str, Callable[[Node], object]] = {
    "a look": lambda node: node.is_empty(),
    "a message in the core": lambda node: node.send_output("beside", bytes(LARGE)),
    "a message in Python": lambda node: node._sender.send_slowly("beside", bytes(LARGE), None),
}


@pytest.mark.parametrize("name", NOTICING)
@pytest.mark.parametrize("senders", [1, 2])
def test_a_head_that_lies_lets_those_go_who_wait_for_its_reader(run: Run, name: str, senders: int) -> None:
    """One of them waits on the epoll, the other for that one; a third thread finds out."""
    stranger = Stranger(run, 1, beside="beside")
    node, gate = stranger.node, stranger.node._core.gate
    with stranger.connection:
        for _ in range(2):  # the first one is Python's
            node.send_output("beside", bytes(LARGE))
        for number in range(3):
            stranger.send(number)
        waiting = [threading.Thread(target=stranger.send, args=(3,), daemon=True) for _ in range(senders)]
        for thread in waiting:
            thread.start()
        wait_until(lambda: gate.is_claimed and gate.waiting == senders - 1)
        stranger.ring.set(RETURNED, PLACES + 1)
        NOTICING[name](node)
        for thread in waiting:
            thread.join(20)
            assert not thread.is_alive()
    assert stranger.keys() == []


def test_a_reader_that_leaves_keeps_only_what_it_has_seen(stranger: Stranger) -> None:
    for number in range(3):
        stranger.send(number, LARGE)
    stranger.ring.set(SEEN, 1)
    stranger.connection.sendall(wire.frame(Kind.LEFT, 0))
    stranger.node.is_empty()
    assert len(stranger.keys()) == 1


LIES: dict[str, tuple[Callable[[Stranger], None], str]] = {
    "more credits than were used": (lambda it: it.ring.set(CREDITS, 3), "more credits than messages were sent"),
    "credits that went back": (lambda it: it.ring.set(CREDITS, 2**64 - 1), "more credits than messages were sent"),
    "more seen than was sent": (lambda it: it.ring.set(SEEN, 2), "more messages seen than were sent"),
    "less seen than before": (lambda it: it.ring.set(SEEN, 2**64 - 1), "more messages seen than were sent"),
    "more slots than there is room for": (lambda it: it.ring.set(RETURNED, PLACES + 1), "a malformed ring"),
    "a slot that it does not hold": (lambda it: it.give_back(bytes(15) + b"\1"), "a slot given back that was not held"),
    "a slot twice": (lambda it: it.give_back(*it.keys() * 2), "a slot given back that was not held"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_head_that_lies_ends_its_connection_alone(
    stranger: Stranger, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    lie, why = LIES[name]
    stranger.send(0)
    stranger.send(1, LARGE)
    if "does not hold" in name:
        stranger.ring.set(SEEN, 1)
        stranger.give_back(*stranger.keys())
    lie(stranger)
    stranger.connection.sendall(LOOK)
    stranger.node.is_empty()
    stranger.send(2)
    assert f"closed the connection of `b`: {why}" in capfd.readouterr().out
    assert stranger.keys() == []


@pytest.mark.parametrize("links", [(2,), (1, 1), (1,) * 209], ids=["of another", "twice", "more than there is room"])
def test_an_offer_with_links_that_are_none_ends_the_connection(
    run: Run, capfd: pytest.CaptureFixture[str], links: tuple[int, ...]
) -> None:
    with Stranger(run, *links).connection:
        assert "closed the connection of `b`: a ring that cannot be used" in capfd.readouterr().out


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_heads_never_stop_the_producer(stranger: Stranger, data: st.DataObject) -> None:
    core = stranger.node._core
    consumer = core.consumers.get("b")
    if consumer is None or not consumer.is_open:  # a new life for each that was hung up on
        stranger.come_again()
    consumer = core.consumers["b"]
    while consumer.is_open and consumer.lanes[1].credits:
        stranger.send(7, LARGE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.sampled_from([SEEN, RETURNED, CREDITS, FETCHED, WANTS]), st.integers(192, 4095)))
        stranger.ring.memory[place] = data.draw(st.integers(0, 255))
    stranger.connection.sendall(LOOK)
    stranger.node.is_empty()
    assert core.pool.slots_in_use == consumer.slots_held
    assert 0 <= consumer.lanes[1].credits <= 3


# ---- a reader, and a stranger that sends to it


@pytest.fixture
def reading(run: Run) -> Node:
    run.node("a", ("out",))
    run.node("b")
    run.node("c", ("out",))
    run.link("a/out", "b/in", 100, "backpressure")
    run.link("a/out", "b/loose", 100)
    run.link("c/out", "b/other")  # so that b does not end with a
    run.listen(1)
    (node,) = run.join("b")
    return node


@pytest.fixture
def sender(run: Run, reading: Node) -> Iterator[Sender]:
    made = Sender(run, reading, looks=True)
    with made.connection:
        yield made
    os.close(made.bell)


def in_slot(generation: int) -> bytes:
    record = lay_out(byte_hole(4096)).record
    body = wire.MESSAGE.pack(7, 0, len(record), wire.SLOT.size) + record + wire.SLOT.pack(0, 0, generation, 0, 4096)
    return wire.frame(Kind.MESSAGE, len(body), wire.IN_SLOT, 1, 1) + body


def take(node: Node, count: int) -> None:
    for _ in range(count):
        event = node.next(20)
        assert event is not None
        assert event.type == "INPUT"


def said(sender: Sender) -> bytes:
    sender.connection.setblocking(False)
    try:
        return sender.connection.recv(1000)
    except BlockingIOError:
        return b""


def test_a_reader_offers_the_head_for_the_links_that_it_holds_back(sender: Sender) -> None:
    assert sender.links == (1,)


def test_credits_stand_in_the_head_and_only_a_producer_that_waits_is_told(sender: Sender, reading: Node) -> None:
    for number in range(60):
        sender.put(message(number))
    take(reading, 30)
    assert 25 <= sender.ring.get(CREDITS) <= 30
    assert said(sender) == b""
    sender.ring.set(WANTS, 1)
    take(reading, 30)
    assert reading.next(0.01) is None
    assert sender.ring.get(CREDITS) == 60
    assert (sender.ring.get(WANTS), said(sender)) == (0, LOOK)


def test_a_producer_that_does_not_look_is_given_frames(run: Run, reading: Node) -> None:
    sender = Sender(run, reading)
    with sender.connection:
        for number in range(30):
            sender.put(message(number))
        take(reading, 30)
        assert reading.next(0.01) is None
        frames = list(struct.iter_unpack("<IBBHI", said(sender)))
        assert sum(number for *_, number in frames) == 30
        assert {kind for _, kind, *_ in frames} == {Kind.CREDIT}
        assert sender.ring.get(CREDITS) == 0
    os.close(sender.bell)


def test_slots_stand_in_the_head_and_only_a_producer_that_waits_is_told(sender: Sender, reading: Node) -> None:
    for number in range(3):
        sender.put(in_slot(number))
        take(reading, 1)
        assert reading.next(0.01) is None
    assert (sender.ring.get(SEEN), sender.ring.get(RETURNED)) == (3, 3)
    names = struct.iter_unpack("<4I", sender.ring.memory[SLOTS : SLOTS + 48])
    assert list(names) == [(0, 0, 0, 0), (0, 0, 1, 0), (0, 0, 2, 0)]
    assert said(sender) == b""
    sender.ring.set(FETCHED, 3)
    sender.ring.set(WANTS, 1)
    sender.put(in_slot(3))
    take(reading, 1)
    assert reading.next(0.01) is None
    assert (sender.ring.get(WANTS), said(sender)) == (0, LOOK)
    assert reading.next(0.01) is None
    assert said(sender) == b""


def test_slots_that_the_head_has_no_room_for_go_by_the_connection(sender: Sender, reading: Node) -> None:
    sender.ring.set(FETCHED, 2**63)
    sender.put(in_slot(5))
    take(reading, 1)
    assert reading.next(0.01) is None
    assert sender.ring.get(RETURNED) == 0
    assert said(sender) == wire.frame(Kind.RELEASE, 12) + struct.pack("<3I", 0, 0, 5)


SENDING = """
import random, time
from doraflow_runtime.node_api.node import Node
chance = random.Random(5)
with Node() as node:
    for number in range(8_000):
        data = number.to_bytes(4, "little") + bytes(chance.choice([0, 0, 10_000]))
        node.send_output("out", data)
        if chance.random() < 0.01:
            time.sleep(chance.random() / 5000)
"""


@pytest.mark.parametrize("size", [1, 16])
def test_no_credit_and_no_slot_is_lost_however_both_sides_pause(run: Run, size: int) -> None:
    run.pair(size=size)
    sending = run.spawn("a", SENDING)
    (node,) = run.join("b")
    for expected in range(8_000):
        event = node.next(60)
        assert event is not None
        assert event.value is not None
        assert int.from_bytes(bytes(event.value[:4].to_pylist()), "little") == expected
    run.finish(sending)
