"""The outputs of generated stubs: what may be sent on a typed port, and the memory that it lends.

Which class a port gets is decided by the generator; nothing is received here. As thread-safe as the `Node` inside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

import pyarrow as pa
from doraflow_runtime.node_api.array_loans import ArrayLoan, ArrowLoan
from doraflow_runtime.node_api.images import image_layout, image_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow_runtime.node_api.metadata import Parameters
    from doraflow_runtime.node_api.node import Loan, Node

A = TypeVar("A", bound="pa.Array[Any]")
V = TypeVar("V")
_NO_SIZE = "a loan is of a `size` in bytes or of a `shape`"


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

    @overload
    def loan(self, size: int, metadata: Parameters | None = None) -> Loan: ...
    @overload
    def loan(
        self, *, shape: int | Sequence[int], dtype: object = "uint8", metadata: Parameters | None = None
    ) -> ArrayLoan: ...
    def loan(
        self,
        size: int | None = None,
        metadata: Parameters | None = None,
        *,
        shape: int | Sequence[int] | None = None,
        dtype: object = "uint8",
    ) -> Loan | ArrayLoan:
        """Lend `size` bytes, or with `shape` a numpy array, of shared memory; leaving the `with` block sends them."""
        if shape is not None:
            return self._node.loan_array(self._output, shape, dtype, metadata)
        if size is None:
            raise TypeError(_NO_SIZE)
        return self._node.loan(self._output, size, metadata)

    def loan_arrow(self, kind: pa.DataType, length: int, metadata: Parameters | None = None) -> ArrowLoan:
        """Lend an array of `length` values of a type whose values all have the same size; leaving `with` sends it."""
        return self._node.loan_arrow(self._output, kind, length, metadata)

    def loan_image(
        self, *, width: int, height: int, encoding: str = "rgb8", metadata: Parameters | None = None
    ) -> ArrayLoan:
        """Lend the pixels of an image as nodes for dora read it; leaving the `with` block sends it."""
        return self._node.loan_image(self._output, width, height, encoding, metadata)


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


class NumberOutput(ScalarOutput[A, V]):
    """An output of numbers, which may be written in place."""

    def loan(self, *, shape: int | Sequence[int], metadata: Parameters | None = None) -> ArrayLoan:
        """Lend a numpy array of shared memory; leaving the `with` block sends its numbers, with their shape told."""
        return self._node.loan_array(self._output, shape, self._kind.to_pandas_dtype(), metadata)


class BytesOutput(ScalarOutput[A, "bytes | memoryview"]):
    """An output of binary values, which may be written in place."""

    def loan(self, size: int, metadata: Parameters | None = None) -> Loan:
        """Give `size` writable bytes of shared memory; leaving the `with` block sends them as one value."""
        return self._node.loan_binary(self._output, self._kind, size, metadata)


class ByteArrayOutput(ScalarOutput[A, int]):
    """An output of UInt8 arrays, which may be written in place; bytes are sent as the array of their values."""

    @overload
    def loan(self, size: int, metadata: Parameters | None = None) -> Loan: ...
    @overload
    def loan(self, *, shape: int | Sequence[int], metadata: Parameters | None = None) -> ArrayLoan: ...
    def loan(
        self, size: int | None = None, metadata: Parameters | None = None, *, shape: int | Sequence[int] | None = None
    ) -> Loan | ArrayLoan:
        """Lend `size` bytes, or with `shape` a numpy array, of shared memory; leaving the `with` block sends them."""
        if shape is not None:
            return self._node.loan_array(self._output, shape, "uint8", metadata)
        if size is None:
            raise TypeError(_NO_SIZE)
        return self._node.loan(self._output, size, metadata)

    def loan_image(
        self, *, width: int, height: int, encoding: str = "rgb8", metadata: Parameters | None = None
    ) -> ArrayLoan:
        """Lend the pixels of an image as nodes for dora read it; leaving the `with` block sends it."""
        return self._node.loan_image(self._output, width, height, encoding, metadata)

    def _array_of_one(self, value: str | bytes | bytearray | memoryview) -> pa.Array[Any]:
        if isinstance(value, str):
            return super()._array_of_one(value)
        data = pa.py_buffer(memoryview(value).cast("B"))
        return pa.Array.from_buffers(self._kind, data.size, [None, data])


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
_MISFITS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError, AttributeError)
"""What pyarrow and the generated dataclasses raise for a value of another type."""


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

    def loan_rows(self, length: int, metadata: Parameters | None = None) -> ArrowLoan:
        """Lend the columns of `length` rows, to be written one by one; leaving the `with` block sends the rows.

        Raises TypeError for rows with texts, bytes or lists, which have no place before they are written.
        """
        return self._node.loan_arrow(self._output, self._row.arrow_type(), length, metadata)

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


class PictureOutput(StructOutput[R]):
    """An output of rows like std/media/v1/Image, whose pixels may be written in place."""

    def loan_image(
        self, *, width: int, height: int, encoding: str = "rgb8", metadata: Parameters | None = None
    ) -> ArrayLoan:
        """Lend the pixels of one image as a numpy array; leaving the `with` block sends the row.

        Raises ValueError for an encoding that is not raw.
        """
        shape, dtype = image_layout(width, height, encoding)
        size = math.prod(shape) * (2 if dtype == "uint16" else 1)
        return ArrayLoan(self._loan("data", size, image_metadata(width, height, encoding), metadata), shape, dtype)


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


def _kind_of(value: object) -> str:
    if isinstance(value, list | tuple) and value:
        return f"a sequence with {type(value[0]).__name__}"
    return type(value).__name__
