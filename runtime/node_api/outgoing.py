"""The sending side of a node: its consumers, what each may still be sent, and the slots they hold.

A consumer that is slow, or keeps what it has read, never blocks a `drop_oldest` link: once its socket is full, or it
holds more than its share of a pool of which half is in use, the newest messages of each such link wait here, as many as
the consumer's queue has room for, and older ones are dropped. A `backpressure` link has as many credits as that queue
has places, and a message costs one. Used under the node's lock.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.chosen import Account, Lane
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.shm.chosen import Slot
    from doraflow_runtime.shm.connection import Connection
    from doraflow_runtime.shm.pool import Pool


class Outgoing(NamedTuple):
    """A message ready to be sent on any link: the type it needs, its flags, its body, and the slot it lies in."""

    type_number: int
    flags: int
    body: bytes
    slot: Slot | None

    def frame(self, link: int) -> bytes:
        """Write the message for a link."""
        return wire.frame(Kind.MESSAGE, len(self.body), self.flags, link, self.type_number) + self.body


class Consumer(Account):
    """A node that reads from this one, over one connection for all links between the two.

    `process` is the one that listens at the other end.
    """

    def __init__(
        self, links: Iterable[OutgoingLink], connection: Connection, pool: Pool, share: int, process: int = 0
    ) -> None:
        super().__init__(connection, pool, share, {link.link.index: _lane(link) for link in links}, set())
        self.process = process
        self._pool = pool
        self._was_told = False

    @property
    def is_open(self) -> bool:
        """Whether the consumer still reads; one that does not may still hold slots."""
        return self.connection.is_open and not self.has_left

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages to each of the consumer's inputs were dropped on this side."""
        return {lane.link.link.input: lane.dropped for lane in self.lanes.values()}

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits for the consumer to read."""
        return bool(self.waiting or self.connection.has_waiting) and self.is_open

    def may_send(self, link: int) -> bool:
        """Tell whether a message on `link` would not have to wait for a credit."""
        lane = self.lanes[link]
        return lane.may_drop or lane.is_own or lane.credits > 0 or not self.is_open

    def send(self, link: int, message: Outgoing, schema: Callable[[int], bytes]) -> None:
        """Send a message, or keep it until the consumer reads on. `schema` gives a type's bytes by number."""
        lane = self.lanes[link]
        if not self.is_open or lane.is_closing:
            lane.dropped += not lane.is_closing
            return
        number, _, _, slot = message
        if number and number not in self.types:
            self.types.add(number)
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
        return self.is_open and not self.lanes[link].may_drop

    def miss(self, link: int) -> None:
        """Note that there was no memory for a message on a link that may lose some."""
        if self.is_open:
            lane = self.lanes[link]
            lane.dropped += 1
            self._tell_of_share(lane)

    def close_link(self, link: int) -> None:
        """Say that nothing more comes on a link, after what waits on it."""
        lane = self.lanes[link]
        if self.is_open and not lane.is_closing:
            lane.is_closing = True
            if not lane.held:
                self.connection.send(wire.closed(link))

    def flush(self) -> None:
        """Send what waits, as far as the consumer reads."""
        self.connection.flush()
        for index, lane in self.lanes.items():
            while lane.held and self._has_room(lane.held[0]) and self.is_open:
                self._pass(index, lane.held.popleft())
                self.waiting -= 1
                if lane.is_closing and not lane.held:
                    self.connection.send(wire.closed(index))

    def inherit(self, before: Consumer) -> None:
        """Go on with the counts of the consumer's process of before."""
        for index, lane in before.lanes.items():
            self.lanes[index].dropped += lane.dropped

    def drop_one(self) -> bool:
        """Drop a message that waits, and take its slot back; False if none is left that lies in a slot."""
        for lane in self.lanes.values():
            oldest = next((message for message in lane.held if message.slot is not None), None)
            if oldest is not None:
                lane.held.remove(oldest)
                self._drop(lane, oldest)
                return True
        return False

    def close(self) -> None:
        """Say that nothing more is sent, and close the connection: a reader hears that this is no crash."""
        if self.is_open:
            self.connection.send(wire.left())
        self.connection.close()

    def lose(self) -> None:
        """Close the connection, and take back every slot that the consumer held."""
        self.connection.close()
        self.drop_waiting()
        self.drain()

    def drop_waiting(self) -> None:
        """Drop what waits for a reader that reads no more."""
        for lane in self.lanes.values():
            while lane.held:
                self._drop(lane, lane.held.popleft())

    def _has_room(self, message: Outgoing) -> bool:
        return not self.connection.has_waiting and (message.slot is None or not self._is_over_share())

    def _is_over_share(self) -> bool:
        return self.bytes_held >= self.share and self._pool.bytes_in_use > self._pool.limit // 2

    def _pass(self, link: int, message: Outgoing) -> None:
        if message.slot is not None:
            self.charge(message.slot)
        self.connection.send(message.frame(link))

    def _hold(self, lane: Lane, message: Outgoing) -> None:
        if len(lane.held) >= lane.queue_size:
            self._drop(lane, lane.held.popleft())
            self._tell_of_share(lane)
        lane.held.append(message)
        self.waiting += 1

    def _drop(self, lane: Lane, message: Outgoing) -> None:
        lane.dropped += 1
        self.waiting -= 1
        if message.slot is not None:
            self._pool.release(message.slot.name.key())

    def _tell_of_share(self, lane: Lane) -> None:
        """Say once that messages are dropped because the consumer holds too much memory."""
        if self._was_told or not self._is_over_share():
            return
        self._was_told = True
        link = lane.link.link
        is_slow = self.slots_unread * 2 > self.slots_held
        holds = "has not read" if is_slow else "keeps arrays that lie in"
        mend = "" if is_slow else ": let it copy what it keeps, or raise `shared_memory_pool_size`"
        log_lines.write(
            "warn",
            f"`{link.consumer}` {holds} {self.bytes_held} bytes of the shared memory of `{link.producer}`; messages of "
            f"`{link.output}` to its input `{link.input}` are dropped until it lets go of some{mend}",
            target="doraflow_runtime",
            fields={"output": link.output, "consumer": link.consumer, "input": link.input},
        )


def links_by_consumer(links: Iterable[OutgoingLink]) -> dict[str, list[OutgoingLink]]:
    """Sort links by who reads from them."""
    by_consumer: dict[str, list[OutgoingLink]] = {}
    for link in links:
        by_consumer.setdefault(link.link.consumer, []).append(link)
    return by_consumer


def _lane(link: OutgoingLink) -> Lane:
    is_own = link.link.producer == link.link.consumer
    return Lane(link, deque(), link.queue_size, link.queue_policy == "drop_oldest", is_own)
