"""Packs that the compiled core sends and receives on ZeroMQ's sockets by itself, and what it leaves to Python."""

from __future__ import annotations

import select
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import zmq
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.contract import InputWiring
from doraflow_runtime.formats.arrow import flat_record
from doraflow_runtime.net import frames
from doraflow_runtime.net.lanes import Inbound
from doraflow_runtime.net.straight import straight
from doraflow_runtime.net.transport import Arrival
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Frame, WireError
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    import doraflow_core

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the compiled core is not built, or switched off")

PEER = b"peer"
MOST_AT_ONCE = 256


@dataclass
class Ends:
    """Both sockets, a desk on one of them, and what it has left to Python."""

    sender: zmq.Socket[bytes]
    desk: doraflow_core.Desk
    source: doraflow_core.Source
    queues: doraflow_core.Queues
    lane: Inbound
    arrivals: list[Arrival] = field(default_factory=list)
    nudges: list[None] = field(default_factory=list)

    def receive(self) -> Arrival | None:
        return self.desk.receive()


def make_ends(stack: ExitStack, size: int, *, is_bounded: bool = True) -> Ends:
    import doraflow_core

    context: zmq.Context[Any] = stack.enter_context(zmq.Context())
    receiver: zmq.Socket[bytes] = stack.enter_context(context.socket(zmq.ROUTER))
    sender: zmq.Socket[bytes] = stack.enter_context(context.socket(zmq.DEALER))
    sender.set(zmq.IDENTITY, PEER)
    receiver.bind("inproc://desk")
    sender.connect("inproc://desk")
    epoll = stack.enter_context(closing(select.epoll()))
    gate = doraflow_core.Gate(epoll.fileno(), 0)
    policy = "backpressure" if is_bounded else "drop_oldest"
    queues = doraflow_core.Queues((InputWiring("in", "a/out", size, policy),), lambda _: None)
    lane = Inbound(size, is_bounded=is_bounded)
    row: Any = (1, "in", is_bounded, is_bounded, 1, lane)
    source = doraflow_core.Source(gate, queues, None, -1, (row,), lambda _: None, Frame, WireError)
    source.learn(1, pa.uint8(), 1)
    socket = straight(receiver)
    assert socket is not None
    arrivals: list[Arrival] = []
    nudges: list[None] = []
    desk = doraflow_core.Desk(gate, socket, receiver.get(zmq.FD), Arrival, arrivals.append, lambda: nudges.append(None))
    stack.callback(desk.close)
    desk.bind(PEER, source)
    return Ends(sender, desk, source, queues, lane, arrivals, nudges)


@pytest.fixture
def ends() -> Iterator[Ends]:
    with ExitStack() as stack:
        yield make_ends(stack, 1000)


def body(content: bytes) -> bytes:
    record = flat_record(len(content), len(content))
    return wire.MESSAGE.pack(7, 0, len(record), len(content)) + record + content


def pack(first: int, count: int = 1) -> bytes:
    return b"".join(frames.message(1, 1, 0, first + place, body(b"some bytes")) for place in range(count))


def parts_of(arrival: Arrival | None) -> list[bytes]:
    assert arrival is not None
    assert arrival.peer == PEER
    return [bytes(part) for part in arrival.parts]


def test_packs_of_a_connection_that_has_greeted_are_taken_in_without_python(ends: Ends) -> None:
    ends.sender.send(pack(1, 3))
    ends.sender.send(pack(4, 2))
    assert ends.receive() is None
    assert (ends.lane.taken, ends.queues.count, ends.source.untold) == (5, 5, len(pack(1, 5)))


def test_what_a_stranger_says_is_left_to_python_part_by_part(ends: Ends) -> None:
    ends.desk.release(PEER)
    ends.desk.release(b"nobody")
    ends.sender.send_multipart([pack(1), b"", b"more"])
    ends.sender.send(b"next")
    arrival = ends.receive()
    assert parts_of(arrival) == [pack(1), b"", b"more"]
    assert arrival is not None
    assert all(part.readonly for part in arrival.parts)
    assert arrival.origin.get("Socket-Type") == ""
    assert parts_of(ends.receive()) == [b"next"]
    assert ends.receive() is None
    assert ends.queues.count == 0


def test_python_goes_on_where_the_core_has_stopped(ends: Ends) -> None:
    closed = frames.record(wire.closed(1))
    ends.sender.send(pack(1, 2) + closed + pack(3))
    assert parts_of(ends.receive()) == [closed + pack(3)]
    assert ends.lane.taken == 2


@pytest.mark.parametrize(("first", "rest"), [(pack(1), b""), (b"a head", b"a head"), (b"", b"")])
def test_what_travels_beside_records_comes_with_what_is_left_of_them(ends: Ends, first: bytes, rest: bytes) -> None:
    ends.sender.send_multipart([first, b"x" * 100_000])
    assert parts_of(ends.receive()) == [rest, b"x" * 100_000]


def test_a_part_outlives_the_desk_and_its_socket() -> None:
    with ExitStack() as stack:
        ends = make_ends(stack, 10)
        ends.desk.release(PEER)
        ends.sender.send(b"y" * 100_000)
        arrival = ends.receive()
    assert parts_of(arrival) == [b"y" * 100_000]


def test_a_flood_is_taken_in_by_shares_and_the_rest_is_rung_for(ends: Ends) -> None:
    for number in range(1, MOST_AT_ONCE + 3):
        ends.sender.send(pack(number))
    assert ends.receive() is None
    assert (ends.lane.taken, len(ends.nudges)) == (MOST_AT_ONCE, 1)
    assert ends.receive() is None
    assert (ends.lane.taken, len(ends.nudges)) == (MOST_AT_ONCE + 2, 1)


def test_nothing_is_read_from_a_desk_that_was_closed(ends: Ends) -> None:
    ends.sender.send(b"too late")
    ends.desk.close()
    ends.desk.close()
    assert ends.receive() is None
    assert not ends.desk.owes(True)


def test_a_library_that_is_not_loaded_is_told() -> None:
    import doraflow_core

    with pytest.raises(OSError, match=r"/nowhere/libzmq\.so is not loaded"):
        doraflow_core.ZeroMqSocket("/nowhere/libzmq.so", 1)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 300),
    is_bounded=st.booleans(),
    steps=st.lists(st.tuples(st.sampled_from(["take", "leave", "tell"]), st.integers(1, 70)), max_size=12),
)
def test_the_core_knows_when_a_sender_has_to_be_told_as_its_twin_does(
    size: int, steps: list[tuple[str, int]], *, is_bounded: bool
) -> None:
    with ExitStack() as stack:
        ends = make_ends(stack, size, is_bounded=is_bounded)
        lane = ends.lane
        for step, times in steps:
            for _ in range(times):
                if step == "take" and lane.taken < lane.limit:
                    lane.take(lane.taken + 1)
                elif step == "leave":
                    lane.leave_queue()
            if step == "tell":
                lane.told()
            for at_rest in (True, False):
                assert ends.desk.owes(at_rest) == lane.is_due(at_rest=at_rest)
