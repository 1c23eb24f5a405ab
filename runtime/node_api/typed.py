"""The ground under generated stubs: typed nodes, typed outputs, and the checks between Arrow and Python.

Generated code names ports and types; everything that is the same for every node stands here. A `TypedNode` is as
thread-safe as the `Node` inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, cast

import pyarrow as pa
from doraflow_runtime.codec import check_version
from doraflow_runtime.contract import ContractError
from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from doraflow_runtime.node_api.metadata import Metadata, Parameters
    from doraflow_runtime.node_api.node import Event, Loan

E = TypeVar("E")
A = TypeVar("A", bound="pa.Array[Any]")
V = TypeVar("V")
N = TypeVar("N", bound="TypedNode[Any]")


@dataclass(frozen=True, slots=True)
class InputClosed:
    """The producer of input `id` has ended: nothing more comes on it."""

    id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The node is to end: by hand, or because all its inputs are closed. No event comes after it."""

    cause: Literal["MANUAL", "ALL_INPUTS_CLOSED"]


class RowType(Protocol):
    """What a generated struct dataclass offers."""

    @classmethod
    def arrow_type(cls) -> pa.StructType:
        """Give the Arrow type of a row."""

    @classmethod
    def to_arrow(cls, rows: Sequence[Any]) -> pa.StructArray:
        """Make the Arrow array of some rows."""

    @classmethod
    def from_arrow(cls, rows: pa.StructArray) -> tuple[Any, ...]:
        """Read the rows of an Arrow array."""


R = TypeVar("R", bound=RowType)
MakeEvent: TypeAlias = "Callable[[pa.Array[Any], Metadata], E]"

_MISFITS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError, AttributeError)
"""What pyarrow and the generated dataclasses raise for a value of another type."""


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
    the `with` block closes the node.
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
        """Wait up to `timeout` seconds, or without end, for an event; None if none came or the stream has ended."""
        event = self.node.next(timeout)
        return None if event is None else self._typed(event)

    def close(self) -> None:
        """Send what is waiting, tell the readers that no more will come, and disconnect."""
        self.node.close()

    def _typed(self, event: Event) -> E:
        if event.type == "INPUT" and event.id is not None and event.value is not None:
            return self._events[event.id](event.value, event.metadata)
        if event.type == "INPUT_CLOSED":
            return cast("E", InputClosed(str(event.id)))
        if event.type == "STOP":
            return cast("E", Stop(cast("Literal['MANUAL', 'ALL_INPUTS_CLOSED']", event.id)))
        raise RuntimeError(f"the runtime reported an error: {event.id}")


class ArrayOutput:
    """An output without a type: any Arrow array may be sent."""

    def __init__(self, node: Node, output: str) -> None:
        self._node = node
        self._output = output

    def send(self, value: pa.Array[Any], metadata: Parameters | None = None) -> None:
        """Send an array. Raises TypeError for anything else."""
        if not isinstance(value, pa.Array):
            raise TypeError(f"output `{self._output}` sends a pyarrow.Array, got {type(value).__name__}")
        self._node.send_output(self._output, value, metadata)


class ScalarOutput(Generic[A, V]):
    """An output of numbers, booleans or texts: an array of that type, or a sequence of Python values."""

    def __init__(self, node: Node, output: str, kind: pa.DataType) -> None:
        self._node = node
        self._output = output
        self._kind = kind

    def send(self, value: A | Sequence[V], metadata: Parameters | None = None) -> None:
        """Send some values as one message. Raises TypeError if they are of another type."""
        self._node.send_output(self._output, self._array(value), metadata)

    def _array(self, value: A | Sequence[V]) -> pa.Array[Any]:
        if isinstance(value, pa.Array):
            if value.type == self._kind:
                return value
            raise TypeError(f"output `{self._output}` sends {self._kind}, got an array of {value.type}")
        if isinstance(value, str | bytes | bytearray | memoryview):
            return self._array_of_one(value)
        try:
            return pa.array(value, self._kind)
        except _MISFITS as error:
            raise TypeError(f"output `{self._output}` sends {self._kind}: {error}") from None

    def _array_of_one(self, value: str | bytes | bytearray | memoryview) -> pa.Array[Any]:
        """Refuse what Python would take for a sequence of letters or numbers."""
        kind = type(value).__name__
        raise TypeError(f"output `{self._output}` sends {self._kind}, got a single {kind}: put it into a list")


class BytesOutput(ScalarOutput[A, "bytes | memoryview"]):
    """An output of binary values, which may be written in place."""

    def loan(self, size: int, metadata: Parameters | None = None) -> Loan:
        """Give `size` writable bytes of shared memory; leaving the `with` block sends them as one value."""
        return self._node.loan_binary(self._output, self._kind, size, metadata)


class ByteArrayOutput(ScalarOutput[A, int]):
    """An output of UInt8 arrays, which may be written in place; bytes are sent as the array of their values."""

    def loan(self, size: int, metadata: Parameters | None = None) -> Loan:
        """Give `size` writable bytes of shared memory; leaving the `with` block sends them as an array."""
        return self._node.loan(self._output, size, metadata)

    def _array_of_one(self, value: str | bytes | bytearray | memoryview) -> pa.Array[Any]:
        if isinstance(value, str):
            return super()._array_of_one(value)
        data = pa.py_buffer(memoryview(value).cast("B"))
        return pa.Array.from_buffers(self._kind, data.size, [None, data])


class StructOutput(Generic[R]):
    """An output of rows: a generated dataclass, or several of them in one message."""

    def __init__(self, node: Node, output: str, row: type[R]) -> None:
        self._node = node
        self._output = output
        self._row = row

    def send(self, value: R | Sequence[R], metadata: Parameters | None = None) -> None:
        """Send one row, or a sequence of rows as one message. Raises TypeError for anything else."""
        rows = [value] if isinstance(value, self._row) else value
        if not isinstance(rows, list | tuple) or not all(isinstance(row, self._row) for row in rows):
            raise TypeError(f"output `{self._output}` sends {self._row.__name__}, got {_kind_of(value)}")
        try:
            array = self._row.to_arrow(rows)
        except _MISFITS as error:
            raise self._misfit(str(error)) from None
        missing = _missing_member(array)
        if missing:
            raise self._misfit(f"`{missing}` is None")
        self._node.send_output(self._output, array, metadata)

    def _loan(self, member: str, size: int, others: Mapping[str, object], metadata: Parameters | None) -> Loan:
        values = {name: self._plain(name, value) for name, value in others.items()}
        return self._node.loan_struct(self._output, self._row.arrow_type(), values, member, size, metadata)

    def _plain(self, name: str, value: Any) -> object:
        """Turn rows that are members of a row into what Arrow takes."""
        if value is None:
            raise self._misfit(f"`{name}` is None")
        first = value[0] if isinstance(value, list | tuple) and value else value
        if not hasattr(first, "to_arrow"):
            return value
        try:
            return first.to_arrow([value])[0] if first is value else first.to_arrow(value)
        except _MISFITS as error:
            raise self._misfit(f"`{name}`: {error}") from None

    def _misfit(self, reason: str) -> TypeError:
        return TypeError(f"output `{self._output}` sends {self._row.__name__}: {reason}")


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


def _kind_of(value: object) -> str:
    if isinstance(value, list | tuple) and value:
        return f"a sequence with {type(value[0]).__name__}"
    return type(value).__name__


def _family(kind: pa.DataType) -> str:
    """Name what the values of a type are: a cast within a family keeps what they mean."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "texts"
    return "bytes" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else str(kind)


def _missing_member(array: pa.StructArray) -> str | None:
    """Name a member that is null in some row, also in structs inside: rows have no place for nulls."""
    for position, field in enumerate(array.type):
        column = array.field(position)
        if column.null_count:
            return field.name
        inner = _missing_member(column) if isinstance(column, pa.StructArray) else None
        if inner:
            return f"{field.name}.{inner}"
    return None
