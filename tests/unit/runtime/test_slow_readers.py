"""Readers that take their time with large messages, or keep arrays when they have left."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import Link, OutgoingLink
from doraflow_runtime.node_api.outgoing import Consumer, Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.pool import Pool
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run
    from doraflow_runtime.contract import QueuePolicy

SIZE = 100_000


class Pair:
    """A producer's view of one consumer, and the consumer's end of the connection."""

    def __init__(self, policy: QueuePolicy, share: int) -> None:
        ours, theirs = socket.socketpair()
        self.pool = Pool()
        self.far = Connection(theirs)
        link = OutgoingLink(Link(1, "a", "out", "b", "in"), "n1.sock", 3, policy)
        self.consumer = Consumer([link], Connection(ours), self.pool, share)

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


@pytest.fixture
def opened() -> Iterator[list[Pair]]:
    made: list[Pair] = []
    yield made
    for pair in made:
        pair.far.close()
        pair.consumer.lose()
        assert pair.pool.slots_in_use == 0


def test_only_a_share_of_the_pool_lies_unread_and_the_newest_wait(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=2 * SIZE))
    for number in range(10):
        pair.send(number)
    assert [message.sent_ns for message in pair.arrived()] == [0, 1]
    assert (pair.pool.slots_in_use, pair.consumer.dropped) == (5, 5)
    pair.answer(wire.seen(2))
    assert [message.sent_ns for message in pair.arrived()] == [7, 8]
    pair.answer(wire.seen(2))
    assert [message.sent_ns for message in pair.arrived()] == [9]
    assert not pair.consumer.has_waiting


def test_a_message_that_waits_gives_its_slot_up_when_memory_is_short(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    for number in range(3):
        pair.send(number)
    assert [pair.consumer.drop_one() for _ in range(3)] == [True, True, False]
    assert pair.pool.slots_in_use == 1


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
    assert pair.pool.slots_in_use == 1
    assert pair.consumer.may_send(1)
    assert not pair.consumer.is_open
    pair.send(4)
    assert not pair.consumer.has_waiting
    pair.answer(wire.release(first.key()))
    assert pair.pool.slots_in_use == 1, "the slot that was never handed to the reader"
    pair.pool.free(next(iter(pair.pool._used.values())))


def test_a_reader_cannot_have_seen_more_than_was_sent(opened: list[Pair]) -> None:
    opened.append(pair := Pair("drop_oldest", share=SIZE))
    pair.send(0)
    with pytest.raises(wire.WireError, match=r"^a frame of kind 7, which a consumer does not send$"):
        pair.answer(wire.seen(2))


def test_large_messages_never_make_a_sender_wait_for_a_busy_reader(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool.__init__, "__defaults__", (32 * 1024 * 1024,))
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
