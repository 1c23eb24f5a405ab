"""Arrow arrays that are not written yet: every part has memory of its own, where the record says."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from doraflow_runtime.formats.arrow import ALIGNMENT, lay_out, rebuild
from doraflow_runtime.formats.blank import blank_parts, hole_memories
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

NUMBERS = some.sampled_from([pa.int8(), pa.uint16(), pa.float32(), pa.int64(), pa.binary(3), pa.timestamp("us")])


def lists(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    return some.builds(pa.list_, inner, some.integers(1, 3))


def structs(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    return some.lists(inner, max_size=4).map(lambda kinds: pa.struct([(f"m{at}", one) for at, one in enumerate(kinds)]))


KINDS = some.recursive(NUMBERS, lambda inner: lists(inner) | structs(inner), max_leaves=6)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(kind=KINDS, length=some.integers(0, 40))
def test_what_is_written_into_the_parts_is_what_is_read(kind: Any, length: int) -> None:
    parts = blank_parts(kind, length)
    layout = lay_out(parts)
    payload = bytearray(layout.size)
    start = layout.hole if layout.size else 0
    total = 0
    for number, memory in enumerate(hole_memories(parts, memoryview(payload)[start:]), 1):
        assert not any(memory), "no two parts share a byte"
        memory[:] = bytes([number]) * len(memory)
        total += len(memory)
    assert sum(map(bool, payload)) == total
    array = rebuild(kind, layout.record, aligned(payload))
    array.validate(full=True)
    assert (array.type, len(array), array.null_count) == (kind, length, 0)
    written = b"".join(buffer.to_pybytes() for buffer in array.buffers() if buffer is not None)
    assert sorted(written) == sorted(byte for byte in payload if byte)


def aligned(data: bytearray) -> pa.Buffer:
    """Arrow's own memory is aligned as slots are."""
    buffer = pa.allocate_buffer(len(data))
    memoryview(buffer).cast("B")[:] = data
    assert buffer.address % ALIGNMENT == 0
    return buffer
