"""Loans as numpy arrays: of one shape, or one for each part of an Arrow array that is written in place.

The memory is a `Loan`'s; here it only gets its shape. Once the loan is left, every array over it that numpy made, also
a slice that was kept, is read-only.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from doraflow_runtime.formats.blank import blank_parts, hole_memories
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.node_api.tensors import SHAPE, numpy_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from doraflow_runtime.formats.arrow import Parts
    from doraflow_runtime.node_api.loans import Loan
    from doraflow_runtime.node_api.metadata import Parameter, Parameters
    from doraflow_runtime.node_api.numpy_arrays import AnyArray, Lease
    from doraflow_runtime.node_api.sending import Sender


def sizes_of(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Give a shape as a tuple. Raises ValueError for one that is no list of sizes."""
    sizes = (shape,) if isinstance(shape, int) else tuple(int(size) for size in shape)
    if any(size < 0 for size in sizes):
        raise ValueError(f"a shape has no negative sizes: {sizes}")
    return sizes


def told(metadata: Parameters | None, more: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Add to the metadata of a message; of those of a received one the time of sending is left out."""
    given = metadata.parameters if isinstance(metadata, Metadata) else metadata
    return {**(given or {}), **more}


def lend_array(
    sender: Sender, output: str, shape: int | Sequence[int], dtype: object, metadata: Parameters | None
) -> ArrayLoan:
    """Lend an array of numbers of a shape, which the metadata tells. Raises what `Node.loan_array` does."""
    kind, sizes = numpy_arrays().number_type(dtype), sizes_of(shape)
    loan = sender.loan(output, kind, blank_parts(kind, math.prod(sizes)), told(metadata, {SHAPE: list(sizes)}))
    return ArrayLoan(loan, sizes, dtype)


class ArrayLoan:
    """A writable numpy array over the memory of one message; a context manager.

    Entering gives the array, leaving sends it, leaving by an exception gives the memory back unsent. After that the
    array and its slices are read-only. Not followed are the views of other libraries, such as `memoryview(array)`,
    `numpy.asarray(array)` or a tensor made of it: they must not be written any more. Used by one thread.
    """

    __slots__ = ("_dtype", "_lease", "_loan", "_shape")

    def __init__(self, loan: Loan, shape: tuple[int, ...], dtype: object) -> None:
        self._loan = loan
        self._shape = shape
        self._dtype = dtype
        self._lease: Lease = numpy_arrays().Lease()

    def __enter__(self) -> AnyArray:
        return self._lease.array(self._loan.__enter__(), self._shape, self._dtype)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lease.end()
        self._loan.__exit__(kind, error, trace)


class ArrowLoan:
    """The memory of an Arrow array whose values all have their place; a context manager.

    Entering gives the array as `Blank`, leaving sends it; otherwise like `ArrayLoan`. Used by one thread.
    """

    __slots__ = ("_kind", "_lease", "_loan", "_memories", "_parts")

    def __init__(self, loan: Loan, kind: pa.DataType, parts: Parts) -> None:
        self._loan = loan
        self._kind = kind
        self._parts = parts
        self._lease: Lease | None = None
        self._memories: list[memoryview] = []

    def __enter__(self) -> Blank:
        self._memories = list(hole_memories(self._parts, self._loan.__enter__()))
        return Blank(self._kind, self._parts, iter(self._memories), self._array)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lease is not None:
            self._lease.end()
        for memory in self._memories:
            with contextlib.suppress(BufferError):  # an array over it is still there, and is read-only now
                memory.release()
        self._loan.__exit__(kind, error, trace)

    def _array(self, memory: memoryview, shape: Sequence[int], dtype: object) -> AnyArray:
        if self._lease is None:
            self._lease = numpy_arrays().Lease()
        return self._lease.array(memory, shape, dtype)


class Blank:
    """A part of an Arrow array that is being written: `memory` are its values; a struct has its members instead."""

    __slots__ = ("_array", "_length", "_parts", "memory", "type")

    def __init__(
        self, kind: pa.DataType, parts: Parts, memories: Iterator[memoryview], array: Callable[..., AnyArray]
    ) -> None:
        self.type = kind
        self._length = parts.length
        self._array = array
        self.memory: memoryview | None = next(memories) if len(parts.buffers) > 1 else None
        self._parts = tuple(
            Blank(kind.field(at).type, child, memories, array) for at, child in enumerate(parts.children)
        )
        if pa.types.is_fixed_size_list(kind):
            self.memory = self._parts[0].memory

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, member: str) -> Blank:
        """Give a member of a struct. Raises KeyError, listing the members, for another name."""
        struct: Any = self.type
        names = [field.name for field in struct] if pa.types.is_struct(struct) else []
        if member not in names:
            listed = ", ".join(f"`{name}`" for name in names) or "none"
            raise KeyError(f"{struct} has no member `{member}`; its members are: {listed}")
        return self._parts[names.index(member)]

    def numpy(self) -> AnyArray:
        """Give the values as a writable array; lists of a fixed size are further dimensions.

        Raises TypeError for a struct, which has no values of its own.
        """
        kind, inner = _inside(self.type)
        if self.memory is None:
            raise TypeError(f"{self.type} has no values of its own: ask for those of a member")
        dtype = numpy_arrays().dtype_of(pa.uint8() if pa.types.is_fixed_size_binary(kind) else kind)
        return self._array(self.memory, [self._length, *inner], dtype)


def _inside(kind: Any) -> tuple[Any, list[int]]:
    """Unpack lists of a fixed size; give what they hold and their sizes."""
    inner: list[int] = []
    while pa.types.is_fixed_size_list(kind):
        inner.append(kind.list_size)
        kind = kind.value_type
    if pa.types.is_fixed_size_binary(kind):
        inner.append(kind.byte_width)
    return kind, inner
