"""Large messages that travel in pieces: cut between any two of them, mixed with others, and damaged."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import Hello, Stand
from doraflow_runtime.net.incoming import FarProducer
from doraflow_runtime.net.lanes import LaneError, Outbound
from doraflow_runtime.net.saying import transmit
from doraflow_runtime.node_api.incoming import Inlet
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind, SlotName, WireError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.runtime.net.cut_links import pass_cuts

if TYPE_CHECKING:
    from doraflow_runtime.net.connecting import FarConnection
    from doraflow_runtime.shm.chosen import Slot

    from tests.unit.runtime.conftest import Run

PIECE = 4
QUEUE = 3
LINKS = (1, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(LINKS), st.integers(0, 5 * PIECE)),
        st.tuples(st.sampled_from(["deliver", "deliver", "deliver", "read", "cut", "return"]), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@dataclass
class Cable:
    """What a sender hands its messages to, one for each ZeroMQ message."""

    piece_bytes: int = PIECE
    flying: deque[tuple[bytes, bytes | None]] = field(default_factory=deque)

    def put(self, head: bytes, beside: memoryview | None = None) -> None:
        self.flying.append((head, None if beside is None else bytes(beside)))


def outgoing(content: bytes) -> Outgoing:
    """A message as a stream, in a slot unless it is empty."""
    if not content:
        return Outgoing(0, wire.AS_STREAM, wire.MESSAGE.pack(1, 0, 0, 0), None)
    body = wire.MESSAGE.pack(1, 0, 0, wire.SLOT.size) + bytes(wire.SLOT.size)
    slot = SimpleNamespace(name=SlotName(1, 2, 3, 0, len(content)), memory=memoryview(content + b"beyond the slot"))
    return Outgoing(0, wire.IN_SLOT | wire.AS_STREAM, body, cast("Slot", slot))


class Hosts:
    """A sender and its reader, with what is on its way between them; a cut swallows all of that."""

    def __init__(self) -> None:
        self.lanes: dict[int, Outbound[Outgoing]] = {link: Outbound(QUEUE, may_drop=False) for link in LINKS}
        self.cable = Cable()
        self.is_up = False
        self.sent: dict[int, list[bytes]] = {link: [] for link in LINKS}
        self.came: dict[int, list[bytes]] = {link: [] for link in LINKS}
        self.unread: deque[Inlet] = deque()
        inlets = [Inlet(link, "a", f"in{link}", is_held_back=True, is_bounded=True, at_once=1) for link in LINKS]
        self.reader = FarProducer(self.greeting(), inlets, dict.fromkeys(("in1", "in2"), QUEUE), lambda _: None)

    def greeting(self) -> Hello:
        return Hello("test", "a", b"s" * 16, tuple(Stand(link, lane.first, 0) for link, lane in self.lanes.items()))

    def step(self, name: str, link: int, size: int) -> None:
        if name == "send":
            self.send(link, size)
        else:
            {"deliver": self.deliver, "read": self.read, "cut": self.cut, "return": self.resume}[name]()

    def send(self, link: int, size: int) -> None:
        lane = self.lanes[link]
        if not self.is_up or not lane.has_room:
            return
        content = bytes([len(self.sent[link]) % 256]) * size
        self.sent[link].append(content)
        lane.hold(outgoing(content), size)
        self.transmit(link, lane)

    def transmit(self, link: int, lane: Outbound[Outgoing]) -> None:
        transmit(cast("FarConnection", self.cable), {0}, lambda _: b"", link, lane.launch())

    def deliver(self) -> None:
        if self.cable.flying:
            head, beside = self.cable.flying.popleft()
            number, frame, _ = frames.read_record(memoryview(head), 0)
            take = self.reader.message if frame.kind == Kind.MESSAGE else self.reader.piece
            arrived = take(frame, number, None if beside is None else memoryview(beside))
            if arrived is not None:
                received, missing = arrived
                assert missing == 0
                self.came[received.inlet.link].append(bytes(received.message.payload))
                self.unread.append(received.inlet)

    def read(self) -> None:
        if self.unread:
            self.reader.accept(self.unread.popleft())
            if self.is_up:
                for link, at, limit in self.reader.due(at_rest=True):
                    self.lanes[link].hear(at, limit)

    def cut(self) -> None:
        self.is_up = False
        self.cable.flying.clear()
        for lane in self.lanes.values():
            lane.cut()

    def resume(self) -> None:
        self.cut()
        self.reader.come_again(self.greeting())
        self.reader.begin_connection(b"peer")
        self.is_up = True
        for link, at, limit in self.reader.stands():
            lane = self.lanes[link]
            lane.resume(at, limit)
            for parcel in lane.again():
                transmit(cast("FarConnection", self.cable), {0}, lambda _: b"", link, parcel)

    def settle(self) -> None:
        self.resume()
        while self.cable.flying or self.unread:
            self.deliver()
            self.read()


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_everything_arrives_whole_once_and_in_order_wherever_a_message_is_cut(
    steps: list[tuple[str, int, int]],
) -> None:
    made = Hosts()
    for name, link, size in steps:
        made.step(name, link, size)
    made.settle()
    assert made.came == made.sent
    assert made.reader.lost == 0
    assert all(lane.limit - lane.last == QUEUE and not lane.flying for lane in made.lanes.values())


def first(number: int, size: int, link: int = 1, flags: int = frames.IN_PIECES | wire.AS_STREAM) -> bytes:
    return frames.message(link, 0, flags, number, wire.MESSAGE.pack(0, 0, 0, size))


def inline(number: int) -> bytes:
    return frames.message(1, 0, wire.AS_STREAM, number, wire.MESSAGE.pack(0, 0, 0, 0))


DAMAGED = {
    "more bytes than were announced": (
        [(first(1, 8), b"12345"), (frames.piece(1, 1), b"6789")],
        "the pieces of message 1 are not as long as it says",
    ),
    "a first piece that is too long": ([(first(1, 4), b"12345")], "the pieces of message 1 are not as long as it says"),
    "a single piece": ([(first(1, 4), b"1234")], "message 1 is said to come in pieces, and is a single one"),
    "an empty piece": (
        [(first(1, 8), b"12345"), (frames.piece(1, 1), b"")],
        "the pieces of message 1 are not as long as it says",
    ),
    "nothing at all": ([(first(1, 0), None)], "the pieces of message 1 are not as long as it says"),
    "a piece of nothing": ([(frames.piece(1, 1), b"1")], "a piece of message 1 on link 1, which was not begun"),
    "a piece of another": (
        [(first(1, 8), b"1234"), (frames.piece(1, 2), b"5678")],
        "a piece of message 2 on link 1, which was not begun",
    ),
    "a piece on another link": (
        [(first(1, 8), b"1234"), (frames.piece(2, 1), b"5678")],
        "a piece of message 1 on link 2, which was not begun",
    ),
    "another message before the end": (
        [(first(1, 8), b"1234"), (inline(2), None)],
        "message 1 on link 1 was not ended",
    ),
    "another one in pieces": ([(first(1, 8), b"1234"), (first(2, 8), b"1234")], "message 1 on link 1 was not ended"),
    "more than may travel": (
        [(first(1, 2**32 - 1), b"1234")],
        "a message of 4294967295 bytes, and 2147483648 travel between hosts",
    ),
    "more than was asked for": (
        [(first(QUEUE + 1, 8), b"1234")],
        f"message {QUEUE + 1} came, and no more than {QUEUE} were asked for",
    ),
    "a link that is not its own": ([(first(1, 8, link=9), b"1234")], "link 9 is closed, or does not come from `a`"),
    "a type that was never announced": (
        [(first(1, 8, flags=frames.IN_PIECES), b"1234")],
        "type 0 was never announced",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_pieces_that_do_not_fit_are_refused(name: str) -> None:
    made = Hosts()
    made.resume()
    parts, reason = DAMAGED[name]
    made.cable.flying.extend(parts)
    for _ in parts[1:]:
        made.deliver()
    with pytest.raises((WireError, LaneError)) as raised:
        made.deliver()
    assert str(raised.value) == reason
    assert made.came[1] == []


def test_a_link_does_not_end_within_a_message() -> None:
    made = Hosts()
    made.resume()
    made.cable.flying.append((first(1, 8), b"1234"))
    made.deliver()
    assert made.reader.close_link(2) is not None
    with pytest.raises(WireError, match="message 1 on link 1 was not ended"):
        made.reader.close_link(1)


def test_memory_in_which_a_message_lies_is_not_used_again_while_somebody_reads_it() -> None:
    made = Hosts()
    made.resume()
    kept = []
    for number in range(1, QUEUE + 1):
        content = bytes([number]) * 100_000
        made.cable.flying.extend(
            [(first(number, 200_000), content), (frames.piece(1, number), content)],
        )
        for _ in "ab":
            head, beside = made.cable.flying.popleft()
            _, frame, _ = frames.read_record(memoryview(head), 0)
            take = made.reader.message if frame.kind == Kind.MESSAGE else made.reader.piece
            arrived = take(frame, number, memoryview(beside or b""))
        assert arrived is not None
        kept.append(arrived[0].message.payload)
    assert [set(content) for content in kept] == [{1}, {2}, {3}]
    assert all(content.readonly for content in kept)


COUNT = 60
SEND = f"""
import numpy, pyarrow
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range({COUNT}):
        node.send_output("out", pyarrow.array(numpy.full(number % 3 * 150_000 + 100, number)))
"""
RECEIVE = f"""
from doraflow_runtime.node_api.node import Node
from collections import deque
due, kept = 0, deque(maxlen=5)
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            found = event.value.to_numpy()
            assert (found == due).all() and len(found) == due % 3 * 150_000 + 100, (due, found[:3], len(found))
            kept.append((due, event.value))
            assert all((array.to_numpy() == number).all() for number, array in kept)
            due += 1
            if due % {COUNT // 4} == 0:
                print(due, flush=True)
print("all", due)
"""


def test_large_messages_that_are_cut_again_and_again_arrive_whole_once_and_in_order(run: Run) -> None:
    pass_cuts(run, SEND, RECEIVE, COUNT, queue_size=4)
