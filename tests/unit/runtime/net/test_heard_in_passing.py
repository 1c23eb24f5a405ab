"""What a reader on another host says, taken in by the core while its sender sends, and what is left to Python."""

from __future__ import annotations

import socket as sockets
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import zmq
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.net import frames
from doraflow_runtime.net.chosen import Outbox
from doraflow_runtime.net.frames import Stand
from doraflow_runtime.net.lanes import Outbound, Parcel
from doraflow_runtime.net.packing import Pack
from doraflow_runtime.net.straight import straight
from doraflow_runtime.node_api.outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import doraflow_core

    from tests.unit.runtime.conftest import Run

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the compiled core is not built, or switched off")

PACK = Pack(b"some messages")
LARGE = Outgoing(1, 0, b"by itself", None)


class Sender(Outbox):
    """What Python is given, and how often it was asked to send what waits."""

    def __init__(self, lanes: dict[int, Outbound[Any]]) -> None:
        super().__init__(lanes, set(), Parcel, Pack)
        self.taken: list[bytes] = []
        self.flushes = 0

    def take(self, data: bytes) -> None:
        self.taken.append(data)

    def flush(self) -> None:
        self.flushes += 1


@dataclass
class Ends:
    """Both ends of a connection; a byte to `turns` says that it has become another one."""

    sender: Sender
    lane: Outbound[Any]
    reader: zmq.Socket[bytes]
    turns: sockets.socket
    others: list[Outbound[Any]] = field(default_factory=list)

    def hear(self) -> bool:
        core: doraflow_core.Outbox = self.sender  # type: ignore[assignment]  # compiled, as the whole file asks
        return core.hear()


def new_lane(*items: tuple[int, object]) -> Outbound[Any]:
    lane: Outbound[Any] = Outbound(10, may_drop=False)
    for number, item in items:
        lane.last = number
        lane.flying_bytes += 100
        lane.note_packed(item, number, 100)
    return lane


@pytest.fixture
def ends() -> Iterator[Ends]:
    with ExitStack() as stack:
        context: zmq.Context[Any] = stack.enter_context(zmq.Context())
        socket: zmq.Socket[bytes] = stack.enter_context(context.socket(zmq.DEALER))
        reader: zmq.Socket[bytes] = stack.enter_context(context.socket(zmq.DEALER))
        reader.bind("inproc://reader")
        socket.connect("inproc://reader")
        monitor, turns = map(stack.enter_context, sockets.socketpair())
        lane = new_lane((3, PACK), (5, PACK), (9, PACK))
        sender = Sender({7: lane, 8: new_lane((1, PACK), (2, LARGE))})
        sender.is_up = True
        sender.wire = straight(socket, monitor.fileno())
        yield Ends(sender, lane, reader, turns, [sender.lanes[8]])
        sender.wire = None


def state(lane: Outbound[Any]) -> tuple[int, int, list[int], int]:
    return lane.heard, lane.limit, [parcel.number for parcel in lane.flying], lane.flying_bytes


def test_how_far_links_are_is_taken_in_without_python(ends: Ends) -> None:
    ends.reader.send(frames.grant([Stand(7, 4, 20)]))
    ends.reader.send(frames.grant([Stand(7, 5, 30), Stand(8, 1, 3)]))
    assert ends.hear()
    assert state(ends.lane) == (5, 30, [9], 100)
    assert state(ends.others[0]) == (1, 3, [2], 100)
    assert ends.hear()
    assert (ends.sender.taken, ends.sender.flushes) == ([], 0)


def test_a_total_that_is_older_or_said_again_changes_nothing(ends: Ends) -> None:
    for stand in (Stand(7, 5, 30), Stand(7, 5, 30), Stand(7, 3, 20)):
        ends.reader.send(frames.grant([stand]))
    assert ends.hear()
    assert state(ends.lane) == (5, 30, [9], 100)


def test_what_waits_for_room_is_sent_once_the_reader_was_heard(ends: Ends) -> None:
    ends.lane.hold(LARGE, 9)
    ends.reader.send(frames.grant([Stand(7, 3, 20)]))
    assert ends.hear()
    assert ends.sender.flushes == 1


@pytest.mark.parametrize(
    "said",
    [
        frames.grant([Stand(8, 2, 9)]),  # a message that was not packed has memory that has to be let go of
        frames.grant([Stand(7, 10, 30)]),  # more than was sent
        frames.grant([Stand(7, 3, 2**63 + 1)]),
        frames.grant([Stand(1, 1, 1)]),
        frames.grant([Stand(7, 3, 20)])[:-1],
        frames.grant([Stand(7, 3, 20)]) + b"x",
        frames.welcome([Stand(7, 3, 20)]),
        frames.refused("why"),
        frames.left(),
        b"",
    ],
)
def test_all_else_is_given_to_python_as_it_is_and_what_follows_is_left_there(ends: Ends, said: bytes) -> None:
    ends.reader.send(said)
    ends.reader.send(frames.left())
    assert not ends.hear()
    assert ends.sender.taken == [said]
    assert state(ends.lane) == (0, 0, [3, 5, 9], 300)


def test_a_message_of_several_parts_is_given_to_python_in_one_piece(ends: Ends) -> None:
    ends.reader.send_multipart([frames.grant([Stand(7, 3, 20)]), b"", b"more"])
    assert not ends.hear()
    assert ends.sender.taken == [frames.grant([Stand(7, 3, 20)]) + b"more"]


def test_nothing_is_read_of_a_connection_that_has_turned_or_was_not_answered(ends: Ends) -> None:
    ends.reader.send(frames.grant([Stand(7, 3, 20)]))
    ends.sender.is_up = False
    assert not ends.hear()
    ends.sender.is_up = True
    ends.turns.send(b"x")
    assert not ends.hear()
    assert state(ends.lane) == (0, 0, [3, 5, 9], 300)


COUNT = 6
SEND = f"""
import threading, time
from doraflow_runtime.net.outgoing import FarConsumer
from doraflow_runtime.node_api.node import Node
looks, look = [], FarConsumer.look
FarConsumer.look = lambda consumer: (looks.append(consumer.is_up), look(consumer))[1]
with Node() as node:
    for _ in range({COUNT}):
        node.send_output("out", b"1" * 5000)
        time.sleep(0.15)
    print("looks", looks.count(True), *(thread.name for thread in threading.enumerate()))
"""
RECEIVE = f"""
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for _ in range({COUNT}):
        assert node.next(30).type == "INPUT"
"""


def test_an_answer_to_each_message_costs_a_sender_neither_python_nor_a_pause_of_the_next_one(run: Run) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 100, "backpressure")  # a reader that has nothing else to do answers each message
    run.apart("b")
    run.listen(2)
    receiver, sender = run.spawn("b", RECEIVE), run.spawn("a", SEND)
    told = run.finish(sender, 60)
    run.finish(receiver, 60)
    assert "doraflow-packs" not in told, "a message waited for others to travel with"
    looks = next(int(line.split()[1]) for line in told.splitlines() if line.startswith("looks"))
    assert looks < COUNT / 2
