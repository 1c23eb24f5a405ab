"""Numpy arrays over messages: those that are lent to be written, and those that are read.

The one module of the runtime that needs numpy; `doraflow_runtime.node_api.tensors` imports it where numpy is asked for,
and nothing else may at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ref

import numpy as np  # type: ignore[import-not-found, unused-ignore]  # optional: absent where a node needs none
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray  # type: ignore[import-not-found, unused-ignore]  # as above

    AnyArray: TypeAlias = NDArray[Any]
    ByteArray: TypeAlias = NDArray[np.uint8]

_NUMBERS = "iuf"
_FEW = 64


class Lease:
    """The arrays over one loan; used by the thread that fills it."""

    __slots__ = ("_room", "_views")

    def __init__(self) -> None:
        self._views: list[ref[LentArray]] = []
        self._room = _FEW

    def array(self, memory: memoryview, shape: Sequence[int], dtype: object) -> AnyArray:
        """Give a writable array over `memory`."""
        array = LentArray(tuple(shape), np.dtype(dtype), memory)  # type: ignore[call-overload, unused-ignore]  # any
        array.lease = self
        self.add(array)
        return array

    def add(self, view: LentArray) -> None:
        """Follow a view of an array. Those that have died are forgotten, so that a loop over lines keeps no list."""
        views = self._views
        views.append(ref(view))
        if len(views) > self._room:
            views[:] = [one for one in views if one() is not None]
            self._room = max(_FEW, 2 * len(views))

    def end(self) -> None:
        """Make every array and view read-only: the memory belongs to the readers. Copies stay as they are."""
        for one in self._views:
            view = one()
            if view is not None and not view.is_own():
                view.setflags(write=False)
        self._views.clear()


class LentArray(np.ndarray):  # type: ignore[misc, type-arg, unused-ignore]  # Any where numpy is absent
    """An array over lent memory. Its lease knows its views too, so that none is written after the loan has ended."""

    lease: Lease | None = None

    def is_own(self) -> bool:
        """Tell whether the memory is not the loan's: the array is a copy, or a view of one."""
        base = self.base
        return base is None or (isinstance(base, np.ndarray) and bool(base.flags.owndata))

    def __array_finalize__(self, source: object) -> None:
        if isinstance(source, LentArray) and source.lease is not None:
            self.lease = source.lease
            source.lease.add(self)

    def __array_wrap__(self, result: Any, context: object = None, return_scalar: bool = False) -> Any:  # noqa: FBT001, FBT002 - numpy's own signature
        """Give the results of arithmetic as ordinary arrays."""
        if result is self:
            return self
        plain = result.view(np.ndarray)
        return plain[()] if return_scalar else plain


def number_type(dtype: object) -> pa.DataType:
    """Give the Arrow type for a numpy type. Raises TypeError for one whose values Arrow does not lay side by side."""
    wanted = np.dtype(dtype)  # type: ignore[call-overload, unused-ignore]  # whatever numpy takes, or TypeError
    if wanted.kind not in _NUMBERS or not wanted.isnative or wanted.itemsize > 8:
        raise TypeError(f"a loan has integers or floats of this machine's byte order, not {wanted}")
    return pa.from_numpy_dtype(wanted)


def dtype_of(kind: pa.DataType) -> object:
    """Give the numpy type for an Arrow type of numbers."""
    return np.dtype(kind.to_pandas_dtype())


def flat_view(array: pa.Array[Any]) -> AnyArray:
    """Give the values of an array of numbers, read-only and without a copy. Raises TypeError where that cannot be."""
    try:
        view: AnyArray = array.to_numpy(zero_copy_only=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        reason = f"{array.null_count} nulls" if array.null_count else f"the type {array.type}"
        raise TypeError(f"an array with {reason} cannot be seen as numpy numbers without a copy") from None
    view.flags.writeable = False
    return view


def from_interface(holder: object) -> AnyArray:
    """Give the array that an object with `__array_interface__` describes; it keeps the object."""
    return np.asarray(holder)


def bytes_view(data: object) -> ByteArray:
    """Give the bytes of a buffer as a read-only array."""
    view: ByteArray = np.frombuffer(data, np.uint8)  # type: ignore[call-overload, unused-ignore]  # any buffer
    view.flags.writeable = False
    return view


def interface_of(array: AnyArray) -> Mapping[str, Any]:
    """Describe an array's memory."""
    return dict(array.__array_interface__)
