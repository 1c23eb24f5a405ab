"""The ground under generated stubs: typed nodes, their events, and the checks of what comes in.

What goes out is checked in `doraflow_runtime.node_api.typed_outputs`; stubs take both from here.
Generated code names ports and types; everything that is the same for every node stands here. A `TypedNode` is as
thread-safe as the `Node` inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar, cast

import pyarrow as pa
from doraflow_runtime.codec import check_version
from doraflow_runtime.contract import ContractError
from doraflow_runtime.node_api.images import image_of
from doraflow_runtime.node_api.node import Node
from doraflow_runtime.node_api.tensors import Tensor, as_numpy
from doraflow_runtime.node_api.typed_outputs import (
    ArrayOutput,
    ByteArrayOutput,
    BytesOutput,
    NumberOutput,
    PictureOutput,
    RowType,
    ScalarOutput,
    StructOutput,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from doraflow_runtime.node_api.metadata import Metadata
    from doraflow_runtime.node_api.node import Event
    from doraflow_runtime.node_api.numpy_arrays import AnyArray

__all__ = [
    "ArrayEvent",
    "ArrayOutput",
    "ByteArrayOutput",
    "BytesOutput",
    "InputClosed",
    "InputRecovered",
    "NodeFailed",
    "NodeRestarted",
    "NumberOutput",
    "PictureOutput",
    "RowType",
    "ScalarOutput",
    "Stop",
    "StructOutput",
    "TypedNode",
    "array_of",
    "array_reader",
    "only",
    "require_contract",
    "rows_of",
    "rows_reader",
    "tick_reader",
]

E = TypeVar("E")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class InputClosed:
    """Input `id` is closed: its producer has ended, or was silent for longer than the input's `input_timeout`."""

    id: str


@dataclass(frozen=True, slots=True)
class InputRecovered:
    """Input `id`, which was closed, is open again: its producer sends again."""

    id: str


@dataclass(frozen=True, slots=True)
class NodeRestarted:
    """The process of node `id`, which feeds this one, has ended and is started again: what it knew is lost."""

    id: str


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """Node `id`, which feeds `inputs` of this one, has failed and is not started again; `error` says how."""

    id: str
    error: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The node is to end: by hand, or because all its inputs are closed. No event comes after it."""

    cause: Literal["MANUAL", "ALL_INPUTS_CLOSED"]


MakeEvent: TypeAlias = "Callable[[pa.Array[Any], Metadata], E]"


def require_contract(version: int, module: str) -> None:
    """Refuse stubs that were generated for another contract.

    Raises ImportError, naming both versions and the side to update.
    """
    try:
        check_version(version, module)
    except ContractError as error:
        raise ImportError(str(error)) from None


class TypedNode(Generic[E]):
    """A node whose events are the classes of its stub.

    `events` maps the id of each input to what makes its event. Iterating gives events until the stream ends; leaving
    the `with` block closes the node. One thread receives; any thread may send or close.
    """

    def __init__(self, node_id: str, events: Mapping[str, MakeEvent[E]]) -> None:
        self.node = Node(node_id)
        self._events = events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        event = self.node.next()
        if event is None:
            raise StopIteration
        return self._typed(event)

    def next(self, timeout: float | None = None) -> E | None:
        """Wait up to `timeout` seconds, or without end, for an event; None if none came or the stream has ended.

        To be called from one thread at a time.
        """
        event = self.node.next(timeout)
        return None if event is None else self._typed(event)

    def close(self) -> None:
        """Send what is waiting, tell the readers that no more will come, and disconnect. Thread-safe."""
        self.node.close()

    def _typed(self, event: Event) -> E:
        if event.type == "INPUT" and event.id is not None and event.value is not None:
            return self._events[event.id](event.value, event.metadata)
        if event.type == "INPUT_CLOSED":
            return cast("E", InputClosed(str(event.id)))
        if event.type == "INPUT_RECOVERED":
            return cast("E", InputRecovered(str(event.id)))
        if event.type == "NODE_RESTARTED":
            return cast("E", NodeRestarted(str(event.id)))
        if event.failure is not None:
            return cast("E", NodeFailed(str(event.id), *event.failure))
        if event.type == "STOP":
            return cast("E", Stop(cast("Literal['MANUAL', 'ALL_INPUTS_CLOSED']", event.id)))
        raise RuntimeError(f"the runtime reported an error: {event.id}")


class ArrayEvent:
    """What the events of numbers, and of inputs without a type, have: other looks at their value.

    Any threads may look at it.
    """

    __slots__ = ()
    value: pa.Array[Any]
    metadata: Metadata

    def numpy(self) -> AnyArray:
        """See the numbers as a read-only numpy array over the message's memory, in the shape they were sent in.

        Raises TypeError for what cannot be seen without a copy, ValueError for metadata of another message.
        """
        return as_numpy(self.value, self.metadata)

    def tensor(self) -> Tensor:
        """Give the numbers to torch, jax and others, without a copy. Raises like `numpy`."""
        return Tensor(self.value, self.metadata)

    def image(self) -> AnyArray:
        """See an image in dora's convention as a read-only array of its pixels. Raises TypeError and ValueError."""
        return image_of(self.value, self.metadata)


def tick_reader(make: Callable[[Metadata], E]) -> MakeEvent[E]:
    """Make the events of an input without a value: `make` is the event class."""
    return lambda _, metadata: make(metadata)


def array_reader(make: Callable[[Any, Metadata], E], kind: pa.DataType, input_id: str) -> MakeEvent[E]:
    """Make the events of an input of numbers, booleans, texts or binary values."""
    return lambda array, metadata: make(array_of(array, kind, input_id), metadata)


def rows_reader(make: Callable[[Any, Metadata], E], row: type[RowType], input_id: str) -> MakeEvent[E]:
    """Make the events of an input of rows."""
    return lambda array, metadata: make(rows_of(array, row, input_id), metadata)


def array_of(array: pa.Array[Any], kind: pa.DataType, input_id: str) -> Any:
    """Give `array` as `kind`, widened if the dataflow let a narrower type in. Raises TypeError if it does not fit."""
    if array.type == kind:
        return array
    misfit = TypeError(f"input `{input_id}` expects {kind}, got an array of {array.type}")
    if len(array) and _family(array.type) != _family(kind):
        raise misfit
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise misfit from None


def rows_of(array: pa.Array[Any], row: type[RowType], input_id: str) -> pa.StructArray:
    """Give `array` as rows of `row`. Raises TypeError if it is of another type."""
    if isinstance(array, pa.StructArray):
        return array
    raise TypeError(f"input `{input_id}` expects rows of {row.__name__}, got an array of {array.type}")


def only(rows: tuple[V, ...], input_id: str) -> V:
    """Give the one row of a message. Raises ValueError, naming `values`, if there are none or several."""
    if len(rows) == 1:
        return rows[0]
    raise ValueError(f"the message on `{input_id}` has {len(rows)} rows: read `values` instead of `value`")


def _family(kind: pa.DataType) -> str:
    """Name what the values of a type are: a cast within a family keeps what they mean."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "texts"
    return "bytes" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else str(kind)
