"""A reader on another host, as its sender sees it: one connection for all edges between the two.

It stands in the table of a node's readers beside those of the same host, and is sent to in the same way. Messages are
kept until the reader has taken them in: a cut swallows what was on its way, and that is sent once more. Used under the
node's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import LARGEST_PART, NetKind, Stand
from doraflow_runtime.net.lanes import LaneError, Outbound
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.net.lanes import Parcel
    from doraflow_runtime.net.transport import Line, News
    from doraflow_runtime.node_api.outgoing import Outgoing
    from doraflow_runtime.shm.pool import Pool

MOST_AT_ONCE = 256
LARGEST_MESSAGE = LARGEST_PART
"""A reader hangs up on more, and would do so each time that it is sent again."""


class FarConsumer:
    """A node of another host that reads from this one.

    `nudge` is called when something came in while it was not looked for. `is_up` says that the reader has answered the
    greeting of this connection, `has_left` that it reads no more.
    """

    def __init__(
        self,
        line: Line,
        links: Iterable[OutgoingLink],
        greeting: tuple[str, bytes],
        pool: Pool,
        nudge: Callable[[], None],
    ) -> None:
        self.links = {link.link.index: link for link in links}
        self.lanes = {index: _lane(link) for index, link in self.links.items()}
        some = next(iter(self.links.values()))
        self.name, self.host, self.address = some.link.consumer, some.host, some.address
        self.is_up = False
        self.has_left = False
        self._greeting = greeting
        self._pool = pool
        self._nudge = nudge
        self._schema: Callable[[int], bytes] | None = None
        self._types: set[int] = set()
        self._closing: dict[int, None] = {}
        self._is_leaving = False
        self._must_greet = False
        self._was_up = False
        self._was_refused = False
        self._is_joined = False
        self._line = line

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
        return self.is_up and self.is_open and any(lane.held for lane in self.lanes.values())

    @property
    def is_unfinished(self) -> bool:
        """Whether something was not taken in by the reader yet."""
        return self.is_open and any(lane.held or lane.flying for lane in self.lanes.values())

    @property
    def bytes_held(self) -> int:
        """How many bytes are kept for the reader."""
        return sum(lane.flying_bytes + sum(size for _, size in lane.held) for lane in self.lanes.values())

    def may_send(self, link: int) -> bool:
        """Tell whether a message on `link` would not have to wait for a credit."""
        lane = self.lanes[link]
        return lane.may_drop or not self.is_open or link in self._closing or (not lane.held and lane.has_room)

    def is_waited_for(self, link: int) -> bool:
        """Tell whether no message on a link may be lost."""
        return self.is_open and not self.lanes[link].may_drop

    def send(self, link: int, message: Outgoing, schema: Callable[[int], bytes]) -> None:
        """Send a message, or keep it until the reader has room. `schema` gives a type's bytes by number."""
        lane = self.lanes[link]
        if not self.is_open or link in self._closing:
            lane.dropped += link not in self._closing
            return
        self._schema = schema
        size = len(message.body) + (0 if message.slot is None else message.slot.room)
        if size > LARGEST_MESSAGE:
            lane.dropped += 1
            self._warn(
                f"a message of {size} bytes to `{self.name}` was dropped: {LARGEST_MESSAGE} travel between hosts"
            )
            return
        if message.slot is not None:
            self._pool.hold(message.slot)
        displaced = lane.hold(message, size)
        if displaced is not None:
            self._let_go(displaced)
        self._send_held(link, lane)
        self._look_again()

    def miss(self, link: int) -> None:
        """Note that there was no memory for a message on a link that may lose some."""
        if self.is_open:
            self.lanes[link].dropped += 1

    def close_link(self, link: int) -> None:
        """Say that nothing more comes on a link, after what waits on it."""
        if self.is_open and link not in self._closing:
            self._closing[link] = None
            self._say_closed(link)

    def drop_one(self) -> bool:
        """Drop a message that waits, and let its slot go; False if none is left that lies in a slot."""
        for lane in self.lanes.values():
            if lane.may_drop and lane.held:
                message = lane.drop_held()
                self._let_go(message)
                if message.slot is not None:
                    return True
        return False

    def flush(self) -> None:
        """Send what waits, as far as the reader has room."""
        for link, lane in self.lanes.items():
            if lane.held:
                self._send_held(link, lane)
                if not lane.held and link in self._closing:
                    self._say_closed(link)
        if self._is_leaving and self.is_up and not self.has_waiting:
            self._line.put(frames.left())
            self._is_leaving = False

    def leave(self) -> None:
        """Say, after all that waits, that nothing more comes: the reader then tells at once what it has."""
        self._is_leaving = True
        self.flush()

    def give_up(self, *, for_good: bool) -> None:
        """Hold nobody back for a reader that has ended, or whose host was lost for long; one that is there stays."""
        if not self.is_open or (self.is_up and not for_good):
            return
        if not for_good:
            self._warn(f"`{self.name}` on `{self.host}` is away: what is sent to it is dropped until it is there again")
        self.lose()

    def lose(self) -> None:
        """Forget the reader: nothing more can be sent to it."""
        self.has_left = True
        self.is_up = False
        for lane in self.lanes.values():
            for message in lane.give_up():
                self._let_go(message)

    def close(self) -> None:
        """Close the connection; what the transport has taken is still sent, for a moment."""
        self._line.close()
        self.lose()

    # ---- what the connection tells

    def look(self) -> bool:
        """Deal with what has come; True if more may be there."""
        for news in self._line.news():
            self._on_news(news)
        self._greet_if_due()
        for _ in range(MOST_AT_ONCE):
            frame = self._line.receive()
            if frame is None:
                return False
            self._take(frame)
        return True

    def _on_news(self, news: News) -> None:
        if news == "up":
            self._must_greet = self._is_joined = True
            self.has_left = False  # another process may listen there now
            return
        where = f"the link to `{self.name}` on `{self.host}` ({self.address})"
        if self.is_up:
            self._warn(f"{where} is cut; it is taken up again")
        elif not self._is_joined and not self._was_refused:
            self._was_refused = True
            self._warn(
                f"{where} cannot be made: the other side hangs up before the greeting, since the keys of the two hosts "
                "do not fit or another program listens there"
            )
        if not self._is_joined:
            self._line.try_again()
        self.is_up = self._is_joined = False
        for lane in self.lanes.values():
            lane.cut()

    def _greet_if_due(self) -> None:
        if not self._must_greet or not self._line.is_writable:
            return
        self._must_greet = False
        self._types.clear()
        dataflow, session = self._greeting
        stands = tuple(Stand(index, lane.first, 0) for index, lane in self.lanes.items())
        producer = next(iter(self.links.values())).link.producer
        self._line.put(frames.hello(frames.Hello(dataflow, producer, session, stands)))

    def _take(self, frame: bytes) -> None:
        try:
            self._take_frame(frames.read_frame(frame))
        except (WireError, LaneError) as error:
            self._warn(f"closed the link to `{self.name}` on `{self.host}`: {error}")
            self._line.put(frames.left())
            self.lose()

    def _take_frame(self, frame: wire.Frame) -> None:
        if frame.kind == NetKind.WELCOME:
            self._resume(frames.read_stands(frame.body))
        elif frame.kind == NetKind.GRANT:
            if self.is_up:  # else of a connection that was cut
                self._hear(frames.read_stands(frame.body))
        elif frame.kind == Kind.LEFT:
            self.lose()
        elif frame.kind == NetKind.REFUSED:
            reason = frame.body[: frames.LONGEST_REASON].decode("utf-8", "replace")
            self._warn(f"`{self.name}` on `{self.host}` refuses the link: {reason}")
            self.lose()
        else:
            raise WireError(f"a frame of kind {frame.kind}, which a reader does not send")

    def _hear(self, stands: tuple[Stand, ...]) -> None:
        for stand in stands:
            for message in self._lane(stand.link).hear(stand.at, stand.limit):
                self._let_go(message)
        self.flush()

    def _resume(self, stands: tuple[Stand, ...]) -> None:
        """Go on where the reader stands: what it has not taken in is sent again."""
        if {stand.link for stand in stands} != set(self.lanes):
            raise WireError("an answer to the greeting that speaks of other links")
        before = sum(lane.dropped for lane in self.lanes.values())
        self.is_up = True
        self._was_refused = False
        for stand in stands:
            lane = self.lanes[stand.link]
            arrived, dropped = lane.resume(stand.at, stand.limit)
            for message in (*arrived, *dropped):
                self._let_go(message)
            for parcel in lane.again():
                self._transmit(stand.link, parcel)
            self._send_held(stand.link, lane)
            if stand.link in self._closing and not lane.held:
                self._say_closed(stand.link)
        self.flush()
        self._tell_of_return(sum(lane.dropped for lane in self.lanes.values()) - before)

    def _tell_of_return(self, dropped: int) -> None:
        if self._was_up:
            lost = f"; {dropped} messages on their way were dropped" if dropped else ""
            text = f"the link to `{self.name}` on `{self.host}` is there again{lost}"
            log_lines.write("warn" if dropped else "info", text, target="doraflow_runtime", fields={"dropped": dropped})
        self._was_up = True

    # ---- sending

    def _send_held(self, link: int, lane: Outbound[Outgoing]) -> None:
        while self.is_up and lane.held and lane.has_room:
            self._transmit(link, lane.launch())

    def _transmit(self, link: int, parcel: Parcel[Outgoing]) -> None:
        type_number, flags, body, slot = parcel.item
        if type_number and type_number not in self._types and self._schema is not None:
            self._types.add(type_number)
            self._line.put(frames.type_frame(type_number, self._schema(type_number)))
        if slot is None:
            self._line.put(frames.message(link, type_number, flags, parcel.number, body))
            return
        size = slot.name.size
        self._line.put(frames.message_beside(link, type_number, flags, parcel.number, body, size), slot.memory[:size])

    def _say(self, frame: bytes) -> None:
        if self.is_up:
            self._line.put(frame)

    def _say_closed(self, link: int) -> None:
        if not self.lanes[link].held:
            self._say(wire.closed(link))

    def _look_again(self) -> None:
        """See to it that what came in is read: sending may have swallowed the news of it."""
        if self._line.has_more or self._must_greet:
            self._nudge()

    def _lane(self, link: int) -> Outbound[Outgoing]:
        lane = self.lanes.get(link)
        if lane is None:
            raise WireError(f"link {link} does not lead there")
        return lane

    def _let_go(self, message: Outgoing) -> None:
        if message.slot is not None:
            self._pool.release(message.slot.name.key())

    def _warn(self, text: str) -> None:
        log_lines.write("warn", text, target="doraflow_runtime", fields={"consumer": self.name, "host": self.host})


def _lane(link: OutgoingLink) -> Outbound[Outgoing]:
    return Outbound(link.queue_size, link.queue_policy == "drop_oldest")
