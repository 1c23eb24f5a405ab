"""Readers that take their time with large messages, or keep arrays when they have left."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import Link, OutgoingLink
from doraflow_runtime.node_api import own_memory
from doraflow_runtime.node_api.outgoing import Consumer, Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.pool import Pool
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run
    from doraflow_runtime.contract import QueuePolicy
    from doraflow_runtime.shm.chosen import Slot

SIZE = 100_000
LIMIT = 4 * 1024 * 1024


class Pair:
    """A producer's view of one consumer, and the consumer's end of the connection."""

    def __init__(self, policy: QueuePolicy, share: int, used_by_others: int = LIMIT // 2) -> None:
        ours, theirs = socket.socketpair()
        self.pool = Pool(LIMIT)
        self.others: list[Slot] = []
        while used_by_others and self.pool.bytes_in_use <= used_by_others:
            slot = self.pool.take(SIZE)
            assert slot is not None
            self.others.append(slot)
        self.far = Connection(theirs)
        link = OutgoingLink(Link(1, "a", "out", "b", "in"), "n1.sock", 3, policy)
        self.consumer = Consumer([link], Connection(ours), self.pool, share)

    @property
    def slots(self) -> int:
        """How many slots are in use for this consumer."""
        return self.pool.slots_in_use - len(self.others)

    def send(self, number: int) -> None:
        slot = self.pool.take(SIZE)
        assert slot is not None
        body = wire.MESSAGE.pack(number, 0, 0, wire.SLOT.size) + wire.SLOT.pack(
            slot.name.segment, slot.name.slot, slot.name.generation, slot.name.offset, slot.name.size
        )
        self.consumer.send(1, Outgoing(0, wire.IN_SLOT | wire.AS_STREAM, body, slot), lambda _: b"")

    def arrived(self) -> list[wire.Message]:
        return [wire.read_message(frame) for frame in self.far.receive() if frame.kind == Kind.MESSAGE]

    def answer(self, *frames: bytes) -> None:
        self.far.send(b"".join(frames))
        self.consumer.receive()
        self.consumer.flush()


def given_back(messages: list[wire.Message]) -> list[bytes]:
    return [wire.release([message.slot.key()]) for message in messages if message.slot is not None]


@pytest.fixture
def opened() -> Iterator[list[Pair]]:
    made: list[Pair] = []
    yield made
    for pair in made:
        pair.far.close()
        pair.consumer.lose()
        assert pair.slots == 0
        assert pair.consumer.bytes_held == 0


def test_only_a_share_of_the_pool_is_held_and_the_newest_wait(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=2 * SIZE))
    for number in range(10):
        pair.send(number)
    first = pair.arrived()
    assert [message.sent_ns for message in first] == [0, 1]
    assert (pair.slots, pair.consumer.dropped) == (5, {"in": 5})
    pair.answer(wire.seen(2), *given_back(first))
    then = pair.arrived()
    assert [message.sent_ns for message in then] == [7, 8]
    pair.answer(wire.seen(2), *given_back(then))
    assert [message.sent_ns for message in pair.arrived()] == [9]
    assert not pair.consumer.has_waiting


def test_a_message_that_waits_gives_its_slot_up_when_memory_is_short(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    for number in range(3):
        pair.send(number)
    assert [pair.consumer.drop_one() for _ in range(3)] == [True, True, False]
    assert pair.slots == 1


def test_a_reader_that_keeps_what_it_has_read_is_sent_no_more(
    opened: list[Pair], capfd: pytest.CaptureFixture[str]
) -> None:
    opened.append(pair := Pair("drop_oldest", share=2 * SIZE))
    for number in range(4):
        pair.send(number)
    kept = pair.arrived()
    pair.answer(wire.seen(2))
    for number in range(4, 10):
        pair.send(number)
    assert pair.arrived() == []
    assert (pair.slots, pair.consumer.dropped) == (5, {"in": 5})
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["message"] == (
        "`b` keeps arrays that lie in 229376 bytes of the shared memory of `a`; messages of `out` to its input `in` "
        "are dropped until it lets go of some: let it copy what it keeps, or raise `shared_memory_pool_size`"
    )
    pair.answer(*given_back(kept[:1]))
    assert [message.sent_ns for message in pair.arrived()] == [7]
    pair.answer(*given_back(kept[1:]))
    assert [message.sent_ns for message in pair.arrived()] == [8]


def test_a_reader_that_does_not_read_is_told_of_too(opened: list[Pair], capfd: pytest.CaptureFixture[str]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    for number in range(6):
        pair.send(number)
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["message"] == (
        "`b` has not read 114688 bytes of the shared memory of `a`; messages of `out` to its input `in` are dropped "
        "until it lets go of some"
    )


def test_half_of_the_pool_is_there_for_anyone(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE, used_by_others=0))
    for number in range(30):
        pair.send(number)
    arrived = [message.sent_ns for message in pair.arrived()]
    assert arrived == list(range(18)), "114688 bytes each"
    assert pair.consumer.bytes_held == 18 * 114688


def test_a_slot_that_was_not_sent_yet_cannot_be_given_back(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    for number in range(3):
        pair.send(number)
    waiting = next(message.slot for message in pair.consumer.lanes[1].held)
    assert waiting is not None
    with pytest.raises(wire.WireError, match="a slot given back that was not held"):
        pair.answer(wire.release([waiting.name.key()]))


def test_a_link_that_holds_its_sender_back_does_not_wait_for_reading(opened: list[Pair]) -> None:
    opened.append(pair := Pair("backpressure", share=SIZE))
    for number in range(3):
        pair.send(number)
    assert [message.sent_ns for message in pair.arrived()] == [0, 1, 2]
    assert not pair.consumer.may_send(1)


@pytest.mark.parametrize("policy", ["drop_oldest", "backpressure"])
def test_a_reader_that_has_left_holds_what_it_has_seen_alone(opened: list[Pair], policy: QueuePolicy) -> None:
    opened.append(pair := Pair(policy, share=2 * SIZE))
    for number in range(3):
        pair.send(number)
    first = pair.arrived()[0].slot
    assert first is not None
    pair.answer(wire.seen(1), wire.left())
    assert pair.slots == 1
    assert pair.consumer.may_send(1)
    assert not pair.consumer.is_open
    pair.send(4)
    assert not pair.consumer.has_waiting
    pair.answer(wire.release([first.key()]))
    assert pair.slots == 1, "the slot that was never handed to the reader"
    pair.pool.free(next(slot for slot in pair.pool.slots if slot not in pair.others))


def test_a_reader_cannot_have_seen_more_than_was_sent(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    pair.send(0)
    with pytest.raises(wire.WireError, match=r"^a frame of kind 7, which a consumer does not send$"):
        pair.answer(wire.seen(2))


def test_large_messages_never_make_a_sender_wait_for_a_busy_reader(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_memory, "DEFAULT_LIMIT", 32 * 1024 * 1024)
    run.pair(4, "drop_oldest")
    a, b = run.join("a", "b")
    patience = threading.Timer(20, a.close)
    patience.start()
    for number in range(200):
        with a.loan("out", 1_000_000) as memory:
            memory[0] = number
    patience.cancel()
    closing = threading.Thread(target=a.close)
    closing.start()
    taken = [event.value[0].as_py() for event in b if event.value is not None]
    closing.join()
    assert taken[-4:] == [196, 197, 198, 199]


def test_arrays_outlive_the_node_that_received_them(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    for number in range(8):
        a.send_output("out", bytes([number]) * 50_000)
    kept = [event.value for event, _ in zip(b, range(5), strict=False)]
    b.close()
    a.next(0)
    assert a._core.pool.slots_in_use == 5
    loans = [a.loan("out", 50_000) for _ in range(40)]
    for loan in loans:
        with loan as memory:
            memory[:] = b"X" * 50_000
    assert [set(value.to_pylist()) for value in kept] == [{0}, {1}, {2}, {3}, {4}]
    kept.clear()
    a.next(0)
    assert a._core.pool.slots_in_use == 0
