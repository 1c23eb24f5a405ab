"""The state of one edge between hosts, on either side: numbers, credits, what waits, and what was lost.

Pure state machines: nothing here sends, waits or looks at a clock. Both sides speak in totals since the sender began
(`taken in up to`, `may be sent up to`), never in differences: saying a total twice, or after a cut, changes nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from doraflow_runtime.net.chosen import InboundState, OutboundState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

WINDOW_MESSAGES = 256
WINDOW_BYTES = 8 * 1024 * 1024
"""What may be on its way: enough to fill a fast link, and little enough that the newest message does not stand behind
seconds of old ones on a slow one. The compiled core (core/outbox.c) has the same bound of bytes."""

LARGEST_NUMBER = 2**63


class LaneError(ValueError):
    """The peer says what cannot be; the message tells what."""


class Parcel(NamedTuple, Generic[T]):
    """What is on its way: the number of its last message, what it is, and its size."""

    number: int
    item: T
    size: int


class Outbound(OutboundState, Generic[T]):
    """An edge as its sender sees it.

    `held` waits to be sent, `flying` was sent and is not taken in yet; both are kept, since a cut may swallow what
    flies. `limit` is the number of the last message that may be sent, `heard` of the last one that was taken in. With
    `may_drop` only the newest `queue_size` messages wait, and `dropped` counts the others.
    """

    def __init__(self, queue_size: int, *, may_drop: bool) -> None:
        super().__init__(deque(), deque(), may_drop)
        self.queue_size = queue_size
        self.dropped = 0

    @property
    def first(self) -> int:
        """The number of the first message that a reader may still get; nothing flies together with others."""
        return self.flying[0].number if self.flying else self.last + 1

    @property
    def has_room(self) -> bool:
        """Whether the next message may be sent at once."""
        return self.last < self.limit and self.flying_bytes < WINDOW_BYTES

    def hold(self, item: T, size: int) -> T | None:
        """Let a message wait; gives the one that it displaces, if any."""
        displaced = None
        if self.may_drop and len(self.held) >= self.queue_size:
            displaced = self.drop_held()
        self.held.append((item, size))
        return displaced

    def drop_held(self) -> T:
        """Drop the message that has waited longest."""
        self.dropped += 1
        item: T = self.held.popleft()[0]
        return item

    def launch(self) -> Parcel[T]:
        """Give the next message that waits its number, and take it for sent."""
        item, size = self.held.popleft()
        self.last += 1
        parcel = Parcel(self.last, item, size)
        self.flying.append(parcel)
        self.flying_bytes += size
        return parcel

    def note_packed(self, item: T, number: int, size: int) -> None:
        """Take messages up to a number for sent, which were counted as flying one by one."""
        self.flying.append(Parcel(number, item, size))

    def spread(self, split: Callable[[Parcel[T]], Iterable[Parcel[T]]]) -> None:
        """Take apart what flies together: after a cut some of it may have arrived."""
        single = [one for parcel in self.flying for one in split(parcel) if one.number > self.heard]
        self.flying.clear()
        self.flying.extend(single)
        self.flying_bytes = sum(parcel.size for parcel in single)

    def hear(self, taken: int, limit: int) -> list[T]:
        """Take note of how far the reader is; gives what has arrived. Raises LaneError for what was never sent."""
        if taken > self.last or limit > LARGEST_NUMBER:
            raise LaneError(f"message {taken} was taken in, and {self.last} were sent")
        self.limit = max(self.limit, limit)
        self.heard = max(self.heard, taken)
        arrived = []
        while self.flying and self.flying[0].number <= taken:
            parcel = self.flying.popleft()
            self.flying_bytes -= parcel.size
            arrived.append(parcel.item)
        return arrived

    def cut(self) -> None:
        """Note that the link was cut: nothing may be sent until the reader says anew how far it is."""
        self.limit = 0

    def resume(self, taken: int, limit: int) -> tuple[list[T], list[T]]:
        """Go on after a cut: gives what has arrived, and what is dropped of the rest.

        What flew and did not arrive waits again, in front. Raises LaneError.
        """
        self.cut()
        arrived = self.hear(taken, limit)
        dropped: list[T] = []
        surplus = len(self.flying) + len(self.held) - self.queue_size if self.may_drop else 0
        while surplus > 0 and self.flying:
            dropped.append(self.flying.popleft().item)
            self.dropped += 1
            surplus -= 1
        return arrived, dropped

    def again(self) -> Iterator[Parcel[T]]:
        """List what has to be sent once more, with the numbers that it had."""
        self.flying_bytes = sum(parcel.size for parcel in self.flying)
        yield from tuple(self.flying)

    def give_up(self) -> Iterator[T]:
        """Drop everything: there is no reader any more."""
        while self.held:
            yield self.drop_held()
        while self.flying:
            yield self.flying.popleft().item
        self.flying_bytes = 0


class Inbound(InboundState):
    """An edge as its reader sees it.

    `taken` is the number of the last message that came in, `waiting` counts those in the queue, and `lost` those whose
    numbers were never seen. `is_bounded` says that the sender waits for places in the queue of `queue_size`.
    """

    def __init__(self, queue_size: int, *, is_bounded: bool) -> None:
        super().__init__(queue_size, is_bounded)
        self.lost = 0

    @property
    def limit(self) -> int:
        """The number of the last message that the sender may send."""
        return self.taken + (self.queue_size - self.waiting if self.is_bounded else self.window)

    @property
    def window(self) -> int:
        """How many messages may be on their way."""
        return self.queue_size if self.is_bounded else max(self.queue_size, WINDOW_MESSAGES)

    def begin(self, first: int) -> None:
        """Begin with a sender whose first message will have the number `first`. Raises LaneError."""
        if not 1 <= first <= LARGEST_NUMBER:
            raise LaneError(f"{first} is no number of a message")
        self.taken = first - 1
        self.waiting = 0

    def resume(self, first: int) -> int:
        """Go on with a sender after a cut; gives how many it has dropped meanwhile. Raises LaneError."""
        if not 1 <= first <= LARGEST_NUMBER:
            raise LaneError(f"{first} is no number of a message")
        missing = self._skip(first)
        self.lost += missing
        return missing

    def check(self, number: int) -> None:
        """Raise LaneError for a message that cannot come now."""
        if number <= self.taken:
            raise LaneError(f"message {number} came after {self.taken}")
        if number > self.limit:
            raise LaneError(f"message {number} came, and no more than {self.limit} were asked for")

    def take(self, number: int) -> int:
        """Take a message in; gives how many before it are missing. Raises LaneError."""
        self.check(number)
        missing = self._skip(number)
        self.lost += missing
        self.taken = number
        self.waiting += 1
        return missing

    def leave_queue(self) -> None:
        """Note that a message has left the queue, read or not."""
        self.waiting = max(0, self.waiting - 1)

    def is_due(self, *, at_rest: bool) -> bool:
        """Tell whether the sender has to be told; `at_rest` says that the reader is about to wait."""
        if self.is_bounded:
            moved = self.limit - self.told_limit
            return moved > 0 if at_rest else moved >= max(1, self.queue_size // 4)
        # Sooner at rest: while messages wait, it is they that wait for the telling.
        return self.taken - self.told_taken >= self.window // (4 if at_rest else 2)

    @property
    def is_behind(self) -> bool:
        """Whether the sender does not know where the edge stands."""
        return (self.told_taken, self.told_limit) != (self.taken, self.limit)

    def told(self) -> tuple[int, int]:
        """Give what to tell the sender, and take it for told."""
        self.told_taken, self.told_limit = self.taken, self.limit
        return self.told_taken, self.told_limit

    def _skip(self, number: int) -> int:
        missing = max(0, number - self.taken - 1)
        self.taken += missing
        return missing
