"""Arrow arrays that are not written yet: numbers, lists of a fixed size and structs of them, in one payload.

How such a payload lies is decided here and in `doraflow_runtime.formats.arrow`, in the same order; nothing here takes
memory or sends. Pure functions, usable from any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from doraflow_runtime.formats.arrow import ALIGNMENT, Hole, Parts, flat_width

if TYPE_CHECKING:
    from collections.abc import Iterator


def blank_parts(kind: pa.DataType, length: int) -> Parts:
    """Describe an array of `length` values without nulls. Raises TypeError for a type whose values vary in size."""
    if length < 0:
        raise ValueError(f"an array has no {length} values")
    if pa.types.is_struct(kind):
        children = tuple(blank_parts(kind.field(at).type, length) for at in range(kind.num_fields))
        return Parts(length, 0, 0, (None,), children)
    if pa.types.is_fixed_size_list(kind):
        inner: Any = kind
        return Parts(length, 0, 0, (None,), (blank_parts(inner.value_type, length * inner.list_size),))
    width = kind.byte_width if pa.types.is_fixed_size_binary(kind) else flat_width(kind)
    if not width:
        raise TypeError(f"{kind} has no place that is known before it is written: send it, or lend a type of numbers")
    return Parts(length, 0, 0, (None, Hole(length * width)))


def holes(parts: Parts) -> Iterator[int]:
    """Give the size of each hole, in the order in which they lie."""
    for content in parts.buffers:
        if isinstance(content, Hole):
            yield content.size
    for child in parts.children:
        yield from holes(child)


def hole_memories(parts: Parts, memory: memoryview) -> Iterator[memoryview]:
    """Cut the memory of a blank array into that of its holes."""
    at = 0
    for size in holes(parts):
        yield memory[at : at + size]
        at += (size + ALIGNMENT - 1) & -ALIGNMENT
