"""The account of one consumer, in Python: `doraflow_core.Account` is its compiled twin.

What it may still be sent, what it was sent in slots and still holds, and the frames by which it tells of that. What is
sent to it, and what waits for it, is the business of `Consumer`. Used under the node's lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind, SlotKey, WireError

if TYPE_CHECKING:
    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.shm.chosen import Slot
    from doraflow_runtime.shm.connection import Connection
    from doraflow_runtime.shm.pool import Pool


@dataclass(slots=True, eq=False)
class Lane:
    """A link as its sender sees it. `held` are the messages that wait for the reader.

    `may_drop` says that the sender never waits for the reader. `is_own` says that the node sends to itself: if it
    waited it would wait for itself, so it has credits without end.
    """

    link: OutgoingLink
    held: deque[Any]
    queue_size: int
    may_drop: bool
    is_own: bool
    credits: int = field(init=False)
    dropped: int = 0
    is_closing: bool = False

    def __post_init__(self) -> None:
        self.credits = self.queue_size


class Account:
    """What a consumer may be sent, and what it holds.

    `share` is how many bytes of the pool it may hold, read or not, while more than half of the pool is in use;
    `bytes_held` is how many it does hold. `types` are those that were announced to it, `waiting` counts the messages
    that wait in the lanes.
    """

    def __init__(self, connection: Connection, pool: Pool, share: int, lanes: dict[int, Lane], types: set[int]) -> None:
        self.connection = connection
        self.share = share
        self.lanes = lanes
        self.types = types
        self._pool = pool
        self._holdings: dict[SlotKey, int] = {}
        self._unread: deque[SlotKey] = deque()
        self.bytes_held = 0
        self.waiting = 0
        self.has_left = False

    @property
    def slots_held(self) -> int:
        """How many slots it holds, each as often as it was sent."""
        return sum(self._holdings.values())

    @property
    def slots_unread(self) -> int:
        """How many of them it has not read."""
        return len(self._unread)

    def drop_waiting(self) -> None:
        """Drop what waits for a reader that reads no more."""
        raise NotImplementedError

    def charge(self, slot: Slot) -> None:
        """Note that the consumer was sent a slot."""
        key = slot.name.key()
        self._holdings[key] = self._holdings.get(key, 0) + 1
        self._unread.append(key)
        self.bytes_held += slot.room

    def receive(self) -> None:
        """Take back slots and credits. Raises WireError if the consumer sends nonsense."""
        for frame in self.connection.receive():
            self._take(frame)

    def look(self) -> bool:
        """Take what stands in the head of a ring: nothing ever does, where Python alone reads and sends."""
        return False

    def await_returns(self) -> bool:
        """Have the consumer tell of what it gives there: of what it gives by frames it always does."""
        return False

    def drain(self) -> None:
        """Take back every slot that the consumer holds."""
        for key, count in self._holdings.items():
            for _ in range(count):
                self._pool.release(key)
        self._holdings.clear()
        self._unread.clear()
        self.bytes_held = 0

    def _take(self, frame: wire.Frame) -> None:
        if frame.kind == Kind.CREDIT and frame.link in self.lanes:
            lane = self.lanes[frame.link]
            lane.credits = min(lane.credits + frame.number, lane.queue_size)
        elif frame.kind == Kind.RELEASE:
            for key in wire.read_release(frame.body):
                self._release(key)
        elif frame.kind == Kind.SEEN and frame.number <= len(self._unread):
            for _ in range(frame.number):
                self._unread.popleft()
        elif frame.kind == Kind.LEFT:
            self._leave()
        elif frame.kind == Kind.RING:
            pass  # an offer of a way that only the compiled core goes; its descriptor was closed unread
        else:
            raise WireError(f"a frame of kind {frame.kind}, which a consumer does not send")

    def _leave(self) -> None:
        """Take back what the consumer will not read any more; the other slots come back when its arrays die."""
        self.has_left = True
        for key in self._unread:
            self._release(key)
        self._unread.clear()
        self.drop_waiting()

    def _release(self, key: SlotKey) -> None:
        count = self._holdings.pop(key, 0)
        if not count:
            raise WireError("a slot given back that was not held")
        if count > 1:
            self._holdings[key] = count - 1
        self.bytes_held -= self._pool.room(key)
        self._pool.release(key)
