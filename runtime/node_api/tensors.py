"""Received messages as numpy arrays and as tensors of other libraries, without a copy.

Everything is read-only and keeps the message's memory for as long as it lives. Nothing here sends. Functions are pure
and may be called from any thread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from doraflow_runtime.node_api.metadata import Metadata
    from doraflow_runtime.node_api.numpy_arrays import AnyArray

SHAPE = "shape"
"""The metadata that tells how the numbers of a message are arranged, outermost first."""

_CPU = (1, 0)


def numpy_arrays() -> ModuleType:
    """Import what needs numpy. Raises ModuleNotFoundError, saying how to get it, where it is not installed."""
    try:
        from doraflow_runtime.node_api import numpy_arrays as module
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        text = "numpy is not installed for this node: to see messages as arrays, add `pip install numpy` to its `build`"
        raise ModuleNotFoundError(text, name="numpy") from None
    return module


def as_numpy(
    value: pa.Array[Any], metadata: Mapping[str, object] | None = None, *, shape: Sequence[int] | None = None
) -> AnyArray:
    """See an array of numbers as a read-only numpy array over the same memory.

    The shape is `shape`, else the metadata's, else the array's own: lists of a fixed size and Arrow's tensors have
    further dimensions. Raises TypeError for what cannot be seen without a copy, ValueError for a shape of another size.
    """
    values, own = _numbers(value)
    flat: AnyArray = numpy_arrays().flat_view(values)
    told = shape if shape is not None else (metadata or {}).get(SHAPE)
    return flat.reshape(own if told is None else _fitting(told, len(values), is_told=shape is None))


def _numbers(value: Any) -> tuple[Any, list[int]]:
    """Unpack lists of a fixed size down to their numbers; give those and the shape."""
    inner: list[int] = []
    length = len(value)
    kind: Any = value.type
    if isinstance(value, pa.FixedShapeTensorArray):
        order = list(kind.permutation or ())
        if order != sorted(order):
            raise TypeError(f"a tensor whose dimensions are permuted is no plain array: {kind}")
        inner, value = list(kind.shape), value.storage.flatten()
    while pa.types.is_fixed_size_list(value.type):
        if value.null_count:
            raise TypeError(f"a list with {value.null_count} nulls cannot be seen as numpy numbers without a copy")
        inner.append(value.type.list_size)
        value = value.flatten()
    return value, [length, *inner]


def _fitting(shape: object, count: int, *, is_told: bool) -> list[int]:
    source = "metadata `shape`" if is_told else "shape"
    if not isinstance(shape, list | tuple) or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError(f"{source} is {shape!r}, which is no list of sizes")
    if math.prod(shape) != count:
        mend = f": it came from another message; to read it flat, pass `shape=({count},)`" if is_told else ""
        raise ValueError(f"{source} {list(shape)} has {math.prod(shape)} values, and the message {count}{mend}")
    return list(shape)


class Tensor:
    """A received array for other libraries: `numpy.asarray`, `torch.from_dlpack`, `jax.numpy.from_dlpack`.

    The memory is read-only, whether the library knows of that or not: a library that writes into it, as torch lets one
    do, ends the process with a segmentation fault.
    """

    __slots__ = ("__weakref__", "_view")

    def __init__(
        self, value: pa.Array[Any], metadata: Metadata | None = None, *, shape: Sequence[int] | None = None
    ) -> None:
        self._view = as_numpy(value, metadata, shape=shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions, outermost first."""
        return tuple(self._view.shape)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return dict(numpy_arrays().interface_of(self._view))

    def __dlpack_device__(self) -> tuple[int, int]:
        """Name the device: this processor."""
        return _CPU

    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> object:
        """Hand the memory on. A reader of DLPack before 1.0 cannot be told that it is read-only."""
        if stream is not None:
            raise BufferError(f"memory of this processor has no stream, got {stream!r}")
        array = self._view
        if max_version is None or max_version < (1, 0):
            array = numpy_arrays().from_interface(_Unmarked(self._view))
        return array.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)


class _Unmarked:
    """An array's memory without the mark that it is read-only, for protocols that have no place for it."""

    __slots__ = ("__array_interface__", "_view")

    def __init__(self, view: AnyArray) -> None:
        interface = dict(numpy_arrays().interface_of(view))
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
        self._view = view
