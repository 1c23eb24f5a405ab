"""Events whose value is bytes: what `next_bytes` and `iter_bytes` give, for who needs no Arrow array.

The compiled core makes most of them by itself; here are those of Python, and what has no bytes to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doraflow_runtime.formats.arrow import flat_width
from doraflow_runtime.node_api.events import FailureEvent
from doraflow_runtime.node_api.metadata import Metadata

if TYPE_CHECKING:
    import pyarrow as pa
    from doraflow_runtime.node_api.events import Event, EventType, Failure

MOST_COPIED = 64 * 1024
"""Bytes of a message from another host up to which a copy costs less than to keep what it came in."""


class BytesEvent(NamedTuple):
    """Something that happened, as `Event` tells it but for the value. Never changes, and may be used by any threads.

    `value` is the payload of an INPUT: `bytes` of its own if it came with its message, and a read-only `memoryview` if
    it lies in shared memory, which is not used again for as long as any view of it is kept, or came from another host
    and is larger than 64 KiB. Of a timer it is empty.
    What an `Event` makes of its array (`numpy`, `tensor`, `image`) is not here.
    """

    type: EventType
    id: str | None = None
    value: bytes | memoryview | None = None
    metadata: Metadata = Metadata(0)

    @property
    def failure(self) -> Failure | None:
        """What a NODE_FAILED tells; None for other events. Thread-safe."""
        return None


class FailureBytesEvent(BytesEvent):
    """A NODE_FAILED."""

    _failure: Failure

    @classmethod
    def of(cls, node: str | None, failure: Failure) -> FailureBytesEvent:
        """Make the event of a node that failed."""
        event = cls("NODE_FAILED", node)
        event._failure = failure
        return event

    @property
    def failure(self) -> Failure:
        """What it tells. Thread-safe."""
        return self._failure


def with_bytes(event: Event, *, lies_in_slot: bool) -> BytesEvent:
    """Make the event with its bytes as value.

    Raises TypeError, naming the input, for an array of something else than plain numbers.
    """
    if event.value is not None:
        value = _in_place(str(event.id), event.value)
        stays = lies_in_slot or len(value) > MOST_COPIED
        return BytesEvent(event.type, event.id, value if stays else bytes(value), event.metadata)
    if isinstance(event, FailureEvent):
        return FailureBytesEvent.of(event.id, event.failure)
    return BytesEvent(event.type, event.id, None, event.metadata)


def _in_place(input_id: str, array: pa.Array[Any]) -> memoryview:
    """View the values of an array, and nothing else of the memory that they lie in."""
    width = flat_width(array.type)
    if not width or array.null_count:
        what = f"{array.type} with nulls" if width else str(array.type)
        raise TypeError(
            f"input `{input_id}` carries {what}, and only plain numbers without nulls can be read as bytes: read the "
            "events of this node with `for event in node` or `next`"
        )
    values = array.buffers()[1]
    if values is None:
        return memoryview(b"")
    return memoryview(values).cast("B").toreadonly()[array.offset * width : (array.offset + len(array)) * width]
