"""Events as a node sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from doraflow_runtime.node_api.images import image_of
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.node_api.tensors import Tensor, as_numpy

if TYPE_CHECKING:
    import pyarrow as pa
    from doraflow_runtime.node_api.numpy_arrays import AnyArray

EventType: TypeAlias = Literal[
    "INPUT", "INPUT_CLOSED", "INPUT_RECOVERED", "NODE_RESTARTED", "NODE_FAILED", "STOP", "ERROR"
]


class Failure(NamedTuple):
    """How another node failed, in words, and which inputs of this node it fed."""

    error: str
    inputs: tuple[str, ...]


class Event(NamedTuple):
    """Something that happened. Never changes, and may be used by any threads.

    `id` is the input of an INPUT, INPUT_CLOSED and INPUT_RECOVERED, the producer of a NODE_RESTARTED and a NODE_FAILED,
    the cause of a STOP (`MANUAL` or `ALL_INPUTS_CLOSED`), and the description of an ERROR. `value` is the payload of an
    INPUT: a read-only Arrow array over shared memory that stays valid for as long as it is kept.
    """

    type: EventType
    id: str | None = None
    value: pa.Array[Any] | None = None
    metadata: Metadata = Metadata(0)

    def numpy(self) -> AnyArray:
        """See the numbers of an INPUT as a read-only numpy array over its memory, in the shape they were sent in.

        Thread-safe. Raises TypeError for what cannot be seen without a copy, ValueError for metadata of another
        message.
        """
        return as_numpy(self._payload(), self.metadata)

    def tensor(self) -> Tensor:
        """Give the numbers of an INPUT to torch, jax and others, without a copy. Thread-safe. Raises like `numpy`."""
        return Tensor(self._payload(), self.metadata)

    def image(self) -> AnyArray:
        """See an image, in dora's convention or a row like std/media/v1/Image, as a read-only array of its pixels.

        Thread-safe. Raises TypeError and ValueError, naming what is missing or does not fit.
        """
        return image_of(self._payload(), self.metadata)

    @property
    def failure(self) -> Failure | None:
        """What a NODE_FAILED tells; None for other events. Thread-safe."""
        return None

    def _payload(self) -> pa.Array[Any]:
        if self.value is None:
            raise TypeError(f"a {self.type} event carries no value")
        return self.value


class FailureEvent(Event):
    """A NODE_FAILED: the other events, of which there are many more, carry no failure."""

    _failure: Failure

    @classmethod
    def of(cls, node: str, failure: Failure) -> FailureEvent:
        """Make the event of a node that failed."""
        event = cls("NODE_FAILED", node)
        event._failure = failure
        return event

    @property
    def failure(self) -> Failure:
        """What it tells. Thread-safe."""
        return self._failure
