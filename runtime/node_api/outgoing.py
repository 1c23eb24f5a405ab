"""The sending side of a node: its consumers, what each may still be sent, and the slots they hold.

A consumer that is slow, or keeps what it has read, never blocks a `drop_oldest` link: once its socket is full, or it
holds more than its share of a pool of which half is in use, the newest messages of each such link wait here, as many as
the consumer's queue has room for, and older ones are dropped. A `backpressure` link has as many credits as that queue
has places, and a message costs one. Used under the node's lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.shm.connection import Connection
    from doraflow_runtime.shm.pool import Pool, Slot
    from doraflow_runtime.shm.wire import SlotName


class Outgoing(NamedTuple):
    """A message ready to be sent on any link: the type it needs, its flags, its body, and the slot it lies in."""

    type_number: int
    flags: int
    body: bytes
    slot: Slot | None

    def frame(self, link: int) -> bytes:
        """Write the message for a link."""
        return wire.frame(Kind.MESSAGE, len(self.body), self.flags, link, self.type_number) + self.body


@dataclass(slots=True)
class _Lane:
    """A link as the consumer's peer sees it.

    `may_drop` says that the sender never waits for the reader. `is_own` says that the node sends to itself: if it
    waited it would wait for itself, so it has credits without end.
    """

    link: OutgoingLink
    credits: int
    held: deque[Outgoing] = field(default_factory=deque)
    is_closing: bool = False
    dropped: int = 0
    may_drop: bool = field(init=False)
    is_own: bool = field(init=False)

    def __post_init__(self) -> None:
        self.may_drop = self.link.queue_policy == "drop_oldest"
        self.is_own = self.link.link.producer == self.link.link.consumer


class Consumer:
    """A node that reads from this one, over one connection for all links between the two.

    `share` is how many bytes of the pool it may hold, read or not, while more than half of the pool is in use;
    `bytes_held` is how many it does hold.
    """

    def __init__(self, links: Iterable[OutgoingLink], connection: Connection, pool: Pool, share: int) -> None:
        self.connection = connection
        self._pool = pool
        self._share = share
        self._lanes = {link.link.index: _Lane(link, link.queue_size) for link in links}
        self._types: set[int] = set()
        self._slots: dict[tuple[int, int, int], int] = {}
        self._held = 0
        self._unread: deque[SlotName] = deque()
        self._has_left = False
        self._was_told = False
        self.bytes_held = 0

    @property
    def is_open(self) -> bool:
        """Whether the consumer still reads; one that does not may still hold slots."""
        return self.connection.is_open and not self._has_left

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages to each of the consumer's inputs were dropped on this side."""
        return {lane.link.link.input: lane.dropped for lane in self._lanes.values()}

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits for the consumer to read."""
        return bool(self._held or self.connection.has_waiting) and self.is_open

    def may_send(self, link: int) -> bool:
        """Tell whether a message on `link` would not have to wait for a credit."""
        lane = self._lanes[link]
        return lane.may_drop or lane.is_own or lane.credits > 0 or not self.is_open

    def send(self, link: int, message: Outgoing, schema: Callable[[int], bytes]) -> None:
        """Send a message, or keep it until the consumer reads on. `schema` gives a type's bytes by number."""
        lane = self._lanes[link]
        if not self.is_open or lane.is_closing:
            return
        number, _, _, slot = message
        if number and number not in self._types:
            self._types.add(number)
            body = schema(number)
            self.connection.send(wire.frame(Kind.TYPE, len(body), number=number) + body)
        if slot is not None:
            self._pool.hold(slot)
        if not lane.may_drop:
            lane.credits -= 1
            self._pass(link, message)
        elif lane.held or not self._has_room(message):
            self._hold(lane, message)
        else:
            self._pass(link, message)

    def is_waited_for(self, link: int) -> bool:
        """Tell whether no message on a link may be lost."""
        return self.is_open and not self._lanes[link].may_drop

    def miss(self, link: int) -> None:
        """Note that there was no memory for a message on a link that may lose some."""
        if self.is_open:
            lane = self._lanes[link]
            lane.dropped += 1
            self._tell_of_share(lane)

    def close_link(self, link: int) -> None:
        """Say that nothing more comes on a link, after what waits on it."""
        lane = self._lanes[link]
        if self.is_open and not lane.is_closing:
            lane.is_closing = True
            if not lane.held:
                self.connection.send(wire.closed(link))

    def flush(self) -> None:
        """Send what waits, as far as the consumer reads."""
        self.connection.flush()
        for index, lane in self._lanes.items():
            while lane.held and self._has_room(lane.held[0]) and self.is_open:
                self._pass(index, lane.held.popleft())
                self._held -= 1
                if lane.is_closing and not lane.held:
                    self.connection.send(wire.closed(index))

    def drop_one(self) -> bool:
        """Drop a message that waits, and take its slot back; False if none is left that lies in a slot."""
        for lane in self._lanes.values():
            oldest = next((message for message in lane.held if message.slot is not None), None)
            if oldest is not None:
                lane.held.remove(oldest)
                self._drop(lane, oldest)
                return True
        return False

    def receive(self) -> None:
        """Take back slots and credits. Raises WireError if the consumer sends nonsense."""
        for frame in self.connection.receive():
            self._take_back(frame)

    def lose(self) -> None:
        """Close the connection, and take back every slot that the consumer held."""
        self.connection.close()
        self._drop_waiting()
        for key, count in self._slots.items():
            for _ in range(count):
                self._pool.release(key)
        self._slots.clear()
        self._unread.clear()
        self.bytes_held = 0

    def _take_back(self, frame: wire.Frame) -> None:
        if frame.kind == Kind.CREDIT and frame.link in self._lanes:
            lane = self._lanes[frame.link]
            lane.credits = min(lane.credits + frame.number, lane.link.queue_size)
        elif frame.kind == Kind.RELEASE:
            for key in wire.read_release(frame.body):
                self._release(key)
        elif frame.kind == Kind.SEEN and frame.number <= len(self._unread):
            for _ in range(frame.number):
                self._unread.popleft()
        elif frame.kind == Kind.LEFT:
            self._leave()
        else:
            raise WireError(f"a frame of kind {frame.kind}, which a consumer does not send")

    def _leave(self) -> None:
        """Take back what the consumer will not read any more; the other slots come back when its arrays die."""
        self._has_left = True
        for slot in self._unread:
            self._release(slot.key())
        self._unread.clear()
        self._drop_waiting()

    def _drop_waiting(self) -> None:
        for lane in self._lanes.values():
            while lane.held:
                self._drop(lane, lane.held.popleft())

    def _has_room(self, message: Outgoing) -> bool:
        return not self.connection.has_waiting and (message.slot is None or not self._is_over_share())

    def _is_over_share(self) -> bool:
        return self.bytes_held >= self._share and self._pool.bytes_in_use > self._pool.limit // 2

    def _pass(self, link: int, message: Outgoing) -> None:
        slot = message.slot
        if slot is not None:
            key = slot.name.key()
            self._slots[key] = self._slots.get(key, 0) + 1
            self._unread.append(slot.name)
            self.bytes_held += slot.room
        self.connection.send(message.frame(link))

    def _release(self, key: tuple[int, int, int]) -> None:
        count = self._slots.pop(key, 0)
        if not count:
            raise WireError("a slot given back that was not held")
        if count > 1:
            self._slots[key] = count - 1
        self.bytes_held -= self._pool.room(key)
        self._pool.release(key)

    def _hold(self, lane: _Lane, message: Outgoing) -> None:
        if len(lane.held) >= lane.link.queue_size:
            self._drop(lane, lane.held.popleft())
            self._tell_of_share(lane)
        lane.held.append(message)
        self._held += 1

    def _drop(self, lane: _Lane, message: Outgoing) -> None:
        lane.dropped += 1
        self._held -= 1
        if message.slot is not None:
            self._pool.release(message.slot.name.key())

    def _tell_of_share(self, lane: _Lane) -> None:
        """Say once that messages are dropped because the consumer holds too much memory."""
        if self._was_told or not self._is_over_share():
            return
        self._was_told = True
        link = lane.link.link
        is_slow = len(self._unread) * 2 > sum(self._slots.values())
        holds = "has not read" if is_slow else "keeps arrays that lie in"
        mend = "" if is_slow else ": let it copy what it keeps, or raise `shared_memory_pool_size`"
        log_lines.write(
            "warn",
            f"`{link.consumer}` {holds} {self.bytes_held} bytes of the shared memory of `{link.producer}`; messages of "
            f"`{link.output}` to its input `{link.input}` are dropped until it lets go of some{mend}",
            target="doraflow_runtime",
            fields={"output": link.output, "consumer": link.consumer, "input": link.input},
        )
