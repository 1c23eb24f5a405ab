"""Rows of structs to Arrow columns and back: what the generated dataclasses are built from.

Numbers and texts become Python values; binary members and lists of numbers stay views of the message's memory.
Functions here are pure and may be called from any thread.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = TypeVar("Row")


def columns(rows: pa.StructArray, expected: pa.StructType) -> list[Any]:
    """Give the members of a struct array, in the order of `expected`, with the array's own offset applied.

    Raises TypeError if the array has other members or other types.
    """
    if rows.type == expected:
        return rows.flatten()
    if not pa.types.is_struct(rows.type):
        raise TypeError(f"expected rows of {expected}, got {rows.type}")
    by_name = dict(zip((member.name for member in rows.type), rows.flatten(), strict=True))
    wrong = [
        member.name for member in expected if member.name not in by_name or by_name[member.name].type != member.type
    ]
    if wrong:
        raise TypeError(f"expected {expected} with the member `{wrong[0]}` of its type, got {rows.type}")
    return [by_name[member.name] for member in expected]


def struct_array(struct: pa.StructType, members: Sequence[pa.Array[Any]]) -> pa.StructArray:
    """Join columns to a struct array; they lie in the order of `struct`."""
    return pa.StructArray.from_arrays(list(members), fields=list(struct))


def values(column: pa.Array[Any]) -> list[Any]:
    """Read numbers, booleans and texts as Python values. Raises TypeError for a null."""
    _require_values(column)
    return column.to_pylist()


def binaries(column: pa.Array[Any]) -> list[memoryview]:
    """Read binary values as read-only views of the message's memory; nothing is copied. Raises TypeError for a null."""
    _require_values(column)
    _, offsets, data = column.buffers()
    if offsets is None or not len(column):
        return []
    ends = memoryview(offsets).cast("B").cast("q" if pa.types.is_large_binary(column.type) else "i")
    view = memoryview(data or b"").cast("B").toreadonly()
    return [view[start:end] for start, end in pairwise(ends[column.offset : column.offset + len(column) + 1])]


def binary_column(items: Iterable[bytes | memoryview], kind: pa.DataType) -> pa.Array[Any]:
    """Write binary values, copying each once."""
    return pa.array(list(items), kind)


def lists(column: pa.Array[Any]) -> list[Any]:
    """Read lists as arrays over the message's memory; nothing is copied. Raises TypeError for a null."""
    _require_values(column)
    return [item.values for item in column]


def list_column(items: Iterable[pa.Array[Any] | Sequence[Any]], item: pa.DataType) -> pa.LargeListArray[Any]:
    """Write lists of `item`; a list may be an Arrow array or a Python sequence. Raises TypeError on a wrong item."""
    arrays = [value if isinstance(value, pa.Array) else pa.array(value, item) for value in items]
    wrong = [array.type for array in arrays if array.type != item]
    if wrong:
        raise TypeError(f"expected a list of {item}, got {wrong[0]}")
    return _joined(arrays, item)


def row_lists(
    items: Iterable[Sequence[Row]], to_arrow: Callable[[Sequence[Row]], pa.StructArray], item: pa.StructType
) -> pa.LargeListArray[Any]:
    """Write lists of structs."""
    return _joined([to_arrow(rows) for rows in items], item)


def _require_values(column: pa.Array[Any]) -> None:
    """Refuse nulls, which the dataclasses' types do not allow."""
    if column.null_count:
        raise TypeError("a value is null, and rows have no place for that")


def _joined(arrays: list[Any], item: pa.DataType) -> pa.LargeListArray[Any]:
    offsets = [0]
    for array in arrays:
        offsets.append(offsets[-1] + len(array))
    flat = pa.concat_arrays(arrays) if arrays else pa.array([], item)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), flat)
