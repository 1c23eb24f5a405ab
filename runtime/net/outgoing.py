"""A reader on another host, as its sender sees it: one connection for all edges between the two.

It stands in the table of a node's readers beside those of the same host, and is sent to in the same way. Messages are
kept until the reader has taken them in: a cut swallows what was on its way, and that is sent once more. Used under the
node's lock.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from doraflow_runtime.net import frames
from doraflow_runtime.net.chosen import Outbox
from doraflow_runtime.net.connecting import FarConnection
from doraflow_runtime.net.copies import copy_out
from doraflow_runtime.net.frames import LARGEST_PART, NetKind
from doraflow_runtime.net.lanes import LaneError, Outbound, Parcel
from doraflow_runtime.net.packing import Pack, take_apart
from doraflow_runtime.net.saying import greet, transmit
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.net.frames import Stand
    from doraflow_runtime.net.packing import Item
    from doraflow_runtime.net.transport import Line
    from doraflow_runtime.shm.pool import Pool


HEAR_SECONDS = 0.1
"""After which a node that only sends looks what its readers say; the compiled core (core/send_call.c) has the same."""


class FarConsumer(Outbox):
    """A node of another host that reads from this one.

    `nudge` is called when something came in while it was not looked for, `defer` when `ship` is to be called a moment
    later. Readers that may lose messages hold no more than `share` bytes of the pool with what is on its way to them.
    `is_up` says that the reader has answered the greeting of this connection, `has_left` that it reads no more.
    """

    lanes: dict[int, Outbound[Item]]

    def __init__(
        self,
        line: Line,
        links: Iterable[OutgoingLink],
        greeting: tuple[str, bytes],
        pool: Pool,
        share: int,
        nudge: Callable[[], None],
        defer: Callable[[], None],
    ) -> None:
        self.links = {link.link.index: link for link in links}
        super().__init__({index: _lane(link) for index, link in self.links.items()}, set(), Parcel, Pack)
        self.wire = line.wire
        self.connection = FarConnection(line, next(iter(self.links.values())))
        self.defer = defer
        self._greeting = greeting
        self._pool = pool
        self._share = share
        self._nudge = nudge
        self._schema: Callable[[int], bytes] | None = None
        self._is_leaving = self._awaits_answer = False
        self._heard_at = 0.0
        self._frames_heard = 0

    # ---- what the node asks of any of its readers

    @property
    def is_open(self) -> bool:
        """Whether the reader may still read something."""
        return not self.has_left

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages to each of the reader's inputs were dropped on this side."""
        return {self.links[index].link.input: lane.dropped for index, lane in self.lanes.items()}

    @property
    def has_waiting(self) -> bool:
        """Whether something waits that looking after it may send on its way."""
        return self.is_up and self.is_open and (self.packed > 0 or any(lane.held for lane in self.lanes.values()))

    @property
    def is_unfinished(self) -> bool:
        """Whether something was not taken in by the reader yet."""
        return self.is_open and any(lane.held or lane.flying or lane.packed for lane in self.lanes.values())

    @property
    def bytes_held(self) -> int:
        """How many bytes are kept for the reader."""
        return sum(lane.flying_bytes + sum(size for _, size in lane.held) for lane in self.lanes.values())

    def may_send(self, link: int) -> bool:
        """Tell whether a message on `link` would not have to wait for a credit."""
        lane = self.lanes[link]
        return lane.may_drop or not self.is_open or lane.is_closing or (not lane.held and lane.has_room)

    def is_waited_for(self, link: int) -> bool:
        """Tell whether no message on a link may be lost."""
        return self.is_open and not self.lanes[link].may_drop

    def send(self, link: int, message: Outgoing, schema: Callable[[int], bytes]) -> None:
        """Send a message, or keep it until the reader has room. `schema` gives a type's bytes by number."""
        lane = self.lanes[link]
        if not self.is_open and time.monotonic() - self._heard_at >= HEAR_SECONDS:
            self._look_in_passing()  # another process of the reader may be there
        if not self.is_open or lane.is_closing:
            lane.dropped += not lane.is_closing
            return
        self._schema = schema
        size = len(message.body) + (0 if message.slot is None else message.slot.room)
        if message.slot is not None:
            if message.slot.name.size > LARGEST_PART:  # a reader hangs up on that, and would do so each time anew
                lane.dropped += 1
                self.connection.tell_of_size(message.slot.name.size, LARGEST_PART)
                return
            self._pool.hold(message.slot)
        displaced = lane.hold(message, size)
        if displaced is not None:
            self._let_go(displaced)
        self._send_held(link, lane)
        if lane.held or time.monotonic() - self._heard_at >= HEAR_SECONDS:
            self._look_in_passing()  # a node that only sends hears of its readers nowhere else
        self.look_again()

    def miss(self, link: int) -> None:
        """Note that there was no memory for a message on a link that may lose some."""
        if self.is_open:
            self.lanes[link].dropped += 1

    def close_link(self, link: int) -> None:
        """Say that nothing more comes on a link, after what waits on it."""
        if self.is_open and not self.lanes[link].is_closing:
            self.lanes[link].is_closing = True
            self._say_closed(link)

    def drop_one(self) -> bool:
        """Drop a message that waits, and let its slot go; False if none is left that lies in a slot."""
        for lane in self.lanes.values():
            while lane.may_drop and lane.held:
                message = lane.drop_held()
                self._let_go(message)
                if message.slot is not None:
                    return True
        return False

    def flush(self) -> None:
        """Send what waits, as far as the reader has room."""
        self.ship()
        for link, lane in self.lanes.items():
            if lane.held:
                self._send_held(link, lane)
                if not lane.held and lane.is_closing:
                    self._say_closed(link)
        if self._is_leaving and self.is_up and not self.has_waiting:
            self._say(frames.left())
            self._is_leaving = False

    def ship(self) -> None:
        """Hand on what was packed."""
        sealed = self.seal()
        if sealed is None:
            return
        data, runs = sealed
        pack = Pack(data)
        for link, number, size in runs:
            self.lanes[link].note_packed(pack, number, size)
        self.connection.put(data)
        self.look_again()

    def leave(self) -> None:
        """Say, after all that waits, that nothing more comes: the reader then tells at once what it has."""
        self._is_leaving = True
        self.flush()

    def give_up(self, *, for_good: bool) -> None:
        """Hold nobody back for a reader that has ended, or whose host was lost for long; one that is there stays."""
        if not self.is_open or (self.is_up and not for_good):
            return
        if not for_good:
            self.connection.tell("is away: what is sent to it is dropped until it is there again")
        self.lose()

    def lose(self) -> None:
        """Forget the reader: nothing more can be sent to it."""
        self.has_left = True
        self.is_up = False
        self.seal()
        for lane in self.lanes.values():
            for message in lane.give_up():
                self._let_go(message)

    def close(self) -> None:
        """Close the connection; what ZeroMQ has taken is still sent, for a moment."""
        self.ship()
        self.wire = None
        self.connection.close()
        self.lose()

    # ---- what the connection tells

    def look(self) -> bool:
        """Deal with what has come; True if more may be there."""
        self._heard_at = time.monotonic()
        for is_there in self.connection.turns(was_up=self.is_up):
            if is_there:
                self.has_left = False  # another process may listen there now
            self._note_turn()
        if self.connection.can_greet():
            self.connection.forget()
            self.types.clear()
            self._awaits_answer = True
            producer = next(iter(self.links.values())).link.producer
            greet(self.connection, self._greeting, producer, self.lanes)
        return self.connection.receive(self.take)

    def _look_in_passing(self) -> None:
        """Deal with what has come, and let a thread look again that waits for it: for it the news of it is gone."""
        before = self._frames_heard
        self.look()
        if self._frames_heard != before:
            self._nudge()

    def _note_turn(self) -> None:
        """Note that what was on its way is gone: it is sent anew, message by message, once the reader has answered."""
        self.ship()
        self.is_up = self._awaits_answer = False
        for link, lane in self.lanes.items():
            lane.cut()
            lane.spread(partial(take_apart, link))

    def take(self, data: bytes) -> None:
        """Deal with one thing that the reader has said."""
        self._frames_heard += 1
        try:
            self._take_frame(frames.read_frame(data))
        except (WireError, LaneError) as error:
            self.connection.warn(f"closed the link to `{self.connection.name}` on `{self.connection.host}`: {error}")
            self.connection.put(frames.record(frames.left()))
            self.lose()

    def _take_frame(self, frame: wire.Frame) -> None:
        if frame.kind == NetKind.WELCOME:
            if not self._awaits_answer:
                raise WireError("an answer to no greeting")
            self._resume(frames.read_stands(frame.body))
        elif frame.kind == NetKind.GRANT:
            if self.is_up:  # else of a connection that was cut
                self._hear(frames.read_stands(frame.body))
        elif frame.kind == Kind.LEFT:
            self.lose()
        elif frame.kind == NetKind.REFUSED:
            reason = frame.body[: frames.LONGEST_REASON].decode("utf-8", "replace")
            self.connection.tell(f"refuses the link: {reason}")
            self.lose()
        else:
            raise WireError(f"a frame of kind {frame.kind}, which a reader does not send")

    def _hear(self, stands: tuple[Stand, ...]) -> None:
        for stand in stands:
            if stand.link not in self.lanes:
                raise WireError(f"link {stand.link} does not lead there")
            for message in self.lanes[stand.link].hear(stand.at, stand.limit):
                self._let_go(message)
        self.flush()

    def _resume(self, stands: tuple[Stand, ...]) -> None:
        """Go on where the reader stands: what it has not taken in is sent again."""
        if {stand.link for stand in stands} != set(self.lanes):
            raise WireError("an answer to the greeting that speaks of other links")
        before = sum(lane.dropped for lane in self.lanes.values())
        self.is_up, self.has_left, self._awaits_answer = True, False, False
        for stand in stands:
            lane = self.lanes[stand.link]
            arrived, dropped = lane.resume(stand.at, stand.limit)
            for message in (*arrived, *dropped):
                self._let_go(message)
            for parcel in lane.again():
                self._transmit(stand.link, parcel)
            self._send_held(stand.link, lane)
            if lane.is_closing and not lane.held:
                self._say_closed(stand.link)
        self.flush()
        self.connection.note_answer(sum(lane.dropped for lane in self.lanes.values()) - before)

    # ---- sending

    def _send_held(self, link: int, lane: Outbound[Item]) -> None:
        while self.is_up and lane.held and lane.has_room:
            self.ship()
            self._spare(lane)
            self._transmit(link, lane.launch())

    def _spare(self, lane: Outbound[Item]) -> None:
        """Copy the next message out of a pool of which enough is on its way: a reader that is cut never gives it back.

        Where nothing may be lost the sender waits for the reader anyway, and memory is what it waits for.
        """
        message, size = lane.held[0]
        if not lane.may_drop or not isinstance(message, Outgoing) or message.slot is None:
            return
        if size + sum(other.flying_bytes for other in self.lanes.values() if other.may_drop) > self._share:
            lane.held[0] = copy_out(message, message.slot), size
            self._pool.release(message.slot.name.key())

    def _transmit(self, link: int, parcel: Parcel[Item]) -> None:
        if self._schema is not None:  # else nothing was sent yet
            transmit(self.connection, self.types, self._schema, link, parcel)

    def _say(self, frame: bytes) -> None:
        if self.is_up:
            self.ship()
            self.connection.put(frames.record(frame))
            self.look_again()

    def _say_closed(self, link: int) -> None:
        if not self.lanes[link].held:
            self._say(wire.closed(link))

    def look_again(self) -> None:
        """See to it that what came in is read: sending may have swallowed the news of it."""
        if self.connection.has_news():
            self._nudge()

    def _let_go(self, message: Item) -> None:
        if message.slot is not None:
            self._pool.release(message.slot.name.key())


def _lane(link: OutgoingLink) -> Outbound[Item]:
    return Outbound(link.queue_size, may_drop=link.queue_policy == "drop_oldest")
