"""The queues of a node's inputs: what waits, what is dropped, and which message comes next.

Messages come out in the order in which they came in, over all inputs. Used under the node's lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from doraflow_runtime.contract import InputWiring
from doraflow_runtime.protocol import InputState, all_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

MOST_GONE = 64  # dropped items whose places cost less than a look through the order
MOST_NOTICES = 1024  # that wait; a node that reads nothing misses the oldest


@dataclass(slots=True)
class Queue(Generic[T]):
    """The queue of one input. `gone` counts the dropped items that still have a place in the order of arrival.

    `carried` is how many items a sender that is gone had left when the next one came: they do not count against the
    credits of that one.
    """

    input: InputWiring
    items: deque[T] = field(default_factory=deque)
    state: InputState = InputState.OPEN
    dropped: int = 0
    gone: int = 0
    carried: int = 0
    may_drop: bool = field(init=False)

    def __post_init__(self) -> None:
        self.may_drop = self.input.queue_policy == "drop_oldest" or bool(self.input.interval_ns)


class Queues(Generic[T]):
    """The queues of one node; `count` items wait in them. `discard` is called with every item that is dropped."""

    def __init__(
        self, inputs: Iterable[InputWiring], discard: Callable[[T], None], *, timers_are_clocks: bool = False
    ) -> None:
        self._queues: dict[str, Queue[T]] = {port.id: Queue(port) for port in inputs}
        self._discard = discard
        self._order: deque[Queue[T]] = deque()
        self._notices: Queue[T] = Queue(InputWiring("", "", MOST_NOTICES))
        self._timers_are_clocks = timers_are_clocks
        self.count = 0

    def put(self, input_id: str, item: T, *, flush: bool = False) -> None:
        """Let an item in. `flush` empties the queue first.

        A full queue loses its oldest item, if it belongs to a timer or is `drop_oldest`.
        """
        queue = self._queues[input_id]
        while flush and queue.items:
            self._drop(queue)
        if queue.may_drop and len(queue.items) >= queue.input.queue_size:
            self._drop(queue)
        queue.items.append(item)
        self._order.append(queue)
        self.count += 1

    def is_full(self, input_id: str) -> bool:
        """Tell whether as many items wait as the queue has places, beside those of an earlier sender."""
        queue = self._queues[input_id]
        return len(queue.items) >= queue.input.queue_size + queue.carried

    def close(self, input_id: str) -> None:
        """Note that nothing more comes in; what waits is still handed out."""
        queue = self._queues[input_id]
        if queue.state is InputState.OPEN:
            queue.state = InputState.DRAINING
        elif queue.state is InputState.BROKEN:
            queue.state = InputState.CLOSED  # the node was told already

    def silence(self, input_id: str) -> bool:
        """Note that an open input was silent for too long; False if it is not open."""
        queue = self._queues[input_id]
        if queue.state is not InputState.OPEN:
            return False
        queue.state = InputState.BROKEN
        return True

    def recover(self, input_id: str) -> bool:
        """Open an input again that was silent; False if it was not."""
        queue = self._queues[input_id]
        if queue.state is not InputState.BROKEN:
            return False
        queue.state = InputState.OPEN
        return True

    def begin_again(self, input_id: str) -> bool:
        """Open an input for another life of its sender; True if the node was told that it was closed for good.

        Of what an earlier life has sent, only a queue's worth is kept.
        """
        queue = self._queues[input_id]
        while len(queue.items) > queue.input.queue_size:
            self._drop(queue)
        queue.carried = len(queue.items)
        was_closed = queue.state is InputState.CLOSED
        if queue.state is not InputState.BROKEN:
            queue.state = InputState.OPEN
        return was_closed

    def announce(self, notice: T) -> None:
        """Put a notice behind everything that waits; one that repeats the notice before it says nothing new."""
        queue = self._notices
        if queue.items and queue.items[-1] == notice:
            return
        if len(queue.items) >= MOST_NOTICES:
            self._drop(queue)
        queue.items.append(notice)
        self._order.append(queue)
        self.count += 1

    def take(self) -> tuple[str, T] | None:
        """Hand out the item that arrived first, with its input; None if nothing waits."""
        while self._order:
            queue = self._order.popleft()
            if queue.gone:
                queue.gone -= 1
                continue
            self.count -= 1
            return queue.input.id, queue.items.popleft()
        return None

    def take_closed(self) -> str | None:
        """Hand out an input that is drained, once; None if there is none."""
        for queue in self._queues.values():
            if queue.state is InputState.DRAINING and not queue.items:
                queue.state = InputState.CLOSED
                return queue.input.id
        return None

    def are_all_closed(self, prefix: str = "") -> bool:
        """Tell whether the node has nothing more to expect; with a prefix, on the inputs whose ids begin with it."""
        queues = [queue for name, queue in self._queues.items() if name.startswith(prefix)]
        timers = [queue for queue in queues if queue.input.interval_ns]
        data = [queue.state for queue in queues if not queue.input.interval_ns]
        return all_closed(data, has_timer=bool(timers), timers_are_clocks=self._timers_are_clocks)

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self.count

    def dropped(self) -> dict[str, int]:
        """Count the items dropped so far, by input."""
        return {name: queue.dropped for name, queue in self._queues.items()}

    def waiting(self) -> dict[str, int]:
        """Count the items that wait, by input."""
        return {name: len(queue.items) for name, queue in self._queues.items()}

    def taken(self) -> dict[str, tuple[int, int, list[int]]]:
        """Count what was handed out, by input, as far as nobody else counts it: nothing here."""
        return {}

    def clear(self) -> None:
        """Drop everything, without counting."""
        while (taken := self.take()) is not None:
            self._discard(taken[1])

    def _drop(self, queue: Queue[T]) -> None:
        queue.dropped += 1
        self.count -= 1
        if self._order[0] is queue and not queue.gone:
            self._order.popleft()
        else:
            queue.gone += 1
        self._tidy()
        self._discard(queue.items.popleft())

    def _tidy(self) -> None:
        """Take the dropped items out of the order of arrival, now and then: it stays as long as what waits."""
        if len(self._order) <= 2 * self.count + MOST_GONE:
            return
        kept: deque[Queue[T]] = deque()
        for queue in self._order:
            if queue.gone:
                queue.gone -= 1
            else:
                kept.append(queue)
        self._order = kept
