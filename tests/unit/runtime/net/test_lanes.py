"""The state of an edge between hosts, driven by a network that delays, cuts and forgets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest
from doraflow_runtime.net.lanes import WINDOW_BYTES, WINDOW_MESSAGES, Inbound, LaneError, Outbound, Parcel
from hypothesis import given, settings
from hypothesis import strategies as st

STEPS = st.lists(
    st.sampled_from(["send", "send", "send", "deliver", "deliver", "take", "tell", "hear", "cut", "return"]),
    max_size=120,
)


@dataclass
class Edge:
    """Both ends of an edge, with what is on its way between them; a cut swallows all of that."""

    sender: Outbound[int]
    reader: Inbound
    flying: deque[Parcel[int]] = field(default_factory=deque)
    grants: deque[tuple[int, int]] = field(default_factory=deque)
    queue: deque[int] = field(default_factory=deque)
    came: list[int] = field(default_factory=list)
    is_up: bool = False
    next: int = 0
    refused: int = 0

    def send(self) -> None:
        """Send as a node does: under backpressure only with room."""
        if not self.sender.may_drop and (self.sender.held or not self.is_up or not self.sender.has_room):
            self.refused += 1
            return
        self.sender.hold(self.next, 1)
        self.next += 1
        self.flush()

    def flush(self) -> None:
        while self.is_up and self.sender.held and self.sender.has_room:
            self.flying.append(self.sender.launch())

    def deliver(self) -> None:
        if self.flying:
            parcel = self.flying.popleft()
            self.reader.take(parcel.number)
            self.queue.append(parcel.item)
            self.came.append(parcel.item)
            if not self.reader.is_bounded and len(self.queue) > self.reader.queue_size:
                self.take()

    def take(self) -> None:
        if self.queue:
            self.queue.popleft()
            self.reader.leave_queue()

    def tell(self, *, at_rest: bool = True) -> None:
        if self.is_up and self.reader.is_due(at_rest=at_rest):
            self.grants.append(self.reader.told())

    def hear(self) -> None:
        if self.grants:
            self.sender.hear(*self.grants.popleft())
            self.flush()

    def cut(self) -> None:
        self.is_up = False
        self.flying.clear()
        self.grants.clear()
        self.sender.cut()

    def resume(self) -> None:
        """Greet anew: the reader says where it stands, and what did not arrive is sent again."""
        if self.is_up:
            self.cut()
        self.reader.resume(self.sender.first)
        self.is_up = True
        self.sender.resume(*self.reader.told())
        self.flying.extend(self.sender.again())
        self.flush()

    def step(self, name: str) -> None:
        getattr(self, "resume" if name == "return" else name)()

    def settle(self) -> None:
        """Let everything come to rest on a link that stays."""
        self.resume()
        for _ in range(2 * (self.next + self.reader.queue_size) + 2):
            self.deliver()
            self.take()
            self.tell()
            self.hear()


def edge(size: int, *, may_drop: bool) -> Edge:
    made = Edge(Outbound(size, may_drop=may_drop), Inbound(size, is_bounded=not may_drop))
    made.reader.begin(made.sender.first)
    return made


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, size=st.integers(1, 6))
def test_under_backpressure_nothing_is_lost_whatever_the_network_does(steps: list[str], size: int) -> None:
    made = edge(size, may_drop=False)
    for name in steps:
        made.step(name)
        assert len(made.queue) <= size, "the sender had more credits than the queue has places"
        assert len(made.sender.flying) + len(made.sender.held) <= size + 1
    made.settle()
    assert made.came == list(range(made.next))
    assert made.reader.lost == 0
    assert not made.sender.flying


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, size=st.integers(1, 6))
def test_under_backpressure_an_edge_at_rest_has_all_its_credits_again(steps: list[str], size: int) -> None:
    made = edge(size, may_drop=False)
    for name in steps:
        made.step(name)
    made.settle()
    assert made.sender.limit - made.sender.last == size


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, size=st.integers(1, 6))
def test_a_link_that_may_drop_keeps_the_newest_and_counts_the_rest(steps: list[str], size: int) -> None:
    made = edge(size, may_drop=True)
    for name in steps:
        made.step(name)
        assert len(made.sender.held) <= size
        assert made.came == sorted(set(made.came))
    made.settle()
    assert made.came[-1:] == ([made.next - 1] if made.next else [])
    assert len(made.came) + made.sender.dropped == made.next


def test_no_more_flies_to_a_reader_that_drops_than_a_fast_link_needs() -> None:
    lane: Outbound[int] = Outbound(2, may_drop=True)
    lane.hear(0, Inbound(2, is_bounded=False).limit)
    sent = 0
    while lane.has_room:
        lane.hold(sent, 100)
        lane.launch()
        sent += 1
    assert sent == WINDOW_MESSAGES


def test_a_message_larger_than_the_window_travels_alone() -> None:
    lane: Outbound[int] = Outbound(2, may_drop=True)
    lane.hear(0, 100)
    lane.hold(1, 3 * WINDOW_BYTES)
    assert lane.has_room
    lane.launch()
    assert not lane.has_room
    lane.hear(1, 101)
    assert lane.has_room


def test_what_cannot_be_is_refused() -> None:
    lane: Outbound[int] = Outbound(2, may_drop=False)
    with pytest.raises(LaneError, match="message 1 was taken in, and 0 were sent"):
        lane.hear(1, 2)
    reader = Inbound(2, is_bounded=True)
    reader.begin(1)
    with pytest.raises(LaneError, match="message 3 came, and no more than 2 were asked for"):
        reader.take(3)
    reader.take(1)
    with pytest.raises(LaneError, match="message 1 came after 1"):
        reader.take(1)
    with pytest.raises(LaneError, match="0 is no number of a message"):
        Inbound(2, is_bounded=True).begin(0)


def test_a_message_that_is_missing_is_counted() -> None:
    reader = Inbound(10, is_bounded=False)
    reader.begin(1)
    assert reader.take(1) == 0
    assert reader.take(4) == 2
    assert reader.lost == 2


def test_a_fast_sender_is_told_seldom() -> None:
    reader = Inbound(10, is_bounded=False)
    reader.begin(1)
    told = 0
    for number in range(1, 1001):
        reader.take(number)
        reader.leave_queue()
        if reader.is_due(at_rest=True):
            reader.told()
            told += 1
    assert told == 1000 // (WINDOW_MESSAGES // 4)
