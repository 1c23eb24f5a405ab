"""Arrays in a buffer: what is written is read, without a copy, and nothing hostile gets through."""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa
import pytest
from doraflow_runtime.formats.arrow import (
    LayoutError,
    binary_hole,
    byte_hole,
    from_stream,
    is_plain,
    lay_out,
    rebuild,
    struct_hole,
    take_apart,
    to_stream,
)
from hypothesis import given, settings
from hypothesis import strategies as st

LEAVES = {
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 65535),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=8),
    pa.large_string(): st.text(max_size=8),
    pa.binary(): st.binary(max_size=8),
    pa.large_binary(): st.binary(max_size=8),
}


def typed(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if kind in LEAVES:
        return st.none() | LEAVES[kind]
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: typed(field.type) for field in kind})
    size = {"min_size": kind.list_size, "max_size": kind.list_size} if pa.types.is_fixed_size_list(kind) else {}
    return st.none() | st.lists(typed(kind.value_type), **{"max_size": 4, **size})


KINDS = st.recursive(
    st.sampled_from(list(LEAVES)),
    lambda inner: (
        inner.map(pa.list_)
        | inner.map(pa.large_list)
        | inner.map(lambda item: pa.list_(item, 2))
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: pa.struct([(f"f{at}", kind) for at, kind in enumerate(kinds)])
        )
    ),
    max_leaves=4,
)


@st.composite
def arrays(draw: st.DrawFn) -> pa.Array[Any]:
    kind = draw(KINDS)
    whole = pa.array(draw(st.lists(typed(kind), max_size=6)), kind)
    start = draw(st.integers(0, len(whole)))
    return whole.slice(start, draw(st.integers(0, len(whole) - start)))


def written(array: pa.Array[Any]) -> tuple[bytes, bytearray]:
    layout = lay_out(take_apart(array))
    memory = bytearray(layout.size)
    layout.write(memoryview(memory))
    return layout.record, memory


@given(arrays())
def test_any_array_survives(array: pa.Array[Any]) -> None:
    record, memory = written(array)
    again = rebuild(array.type, record, pa.py_buffer(bytes(memory)))
    assert again.equals(array)
    assert again.type == array.type


@given(arrays())
def test_any_array_survives_as_a_stream(array: pa.Array[Any]) -> None:
    assert from_stream(to_stream(array)).equals(array)


def test_a_slice_of_a_large_array_is_written_alone() -> None:
    array = pa.array(range(1_000_000)).slice(500_000, 8)
    record, memory = written(array)
    assert len(memory) == 64
    assert rebuild(array.type, record, pa.py_buffer(memory)).to_pylist() == list(range(500_000, 500_008))


def test_rebuilding_copies_nothing() -> None:
    record, memory = written(pa.array(range(1000)))
    buffer = pa.py_buffer(memory)
    values = rebuild(pa.int64(), record, buffer).buffers()[1]
    assert values is not None
    assert values.address == buffer.address


def test_buffers_lie_at_boundaries_of_64_bytes() -> None:
    layout = lay_out(take_apart(pa.array(["a", None, "ccc"])))
    assert all(position % 64 == 0 for position, _ in layout.pieces)


@pytest.mark.parametrize(
    "kind",
    [
        pa.dictionary(pa.int8(), pa.string()),
        pa.sparse_union([pa.field("a", pa.int8())]),
        pa.map_(pa.string(), pa.int8()),
        pa.string_view(),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
        pa.struct([("a", pa.map_(pa.string(), pa.int8()))]),
    ],
)
def test_what_buffers_cannot_carry_travels_as_a_stream(kind: pa.DataType) -> None:
    assert not is_plain(kind)


@given(arrays(), st.data())
def test_a_damaged_record_is_refused_or_still_a_valid_array(array: pa.Array[Any], data: st.DataObject) -> None:
    record, memory = written(array)
    damaged = bytearray(record)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(memory)))
    try:
        again = rebuild(array.type, bytes(damaged), pa.py_buffer(bytes(memory[:cut])))
    except LayoutError:
        return
    again.to_pylist()


EDGES = st.sampled_from([-(2**63), -2, -1, 0, 1, 7, 8, 64, 2**31, 2**32, 2**62, 2**63 - 64, 2**63 - 1])


@given(arrays(), st.data())
def test_numbers_at_the_edges_are_refused_or_still_a_valid_array(array: pa.Array[Any], data: st.DataObject) -> None:
    record, memory = written(array)
    damaged = bytearray(record)
    for _ in range(data.draw(st.integers(1, 3))):
        struct.pack_into("<q", damaged, data.draw(st.integers(0, len(damaged) - 8)), data.draw(EDGES))
    try:
        again = rebuild(array.type, bytes(damaged), pa.py_buffer(bytes(memory)))
    except LayoutError:
        return
    assert 0 <= again.null_count <= len(again)
    if len(again) < 10_000:
        again.to_pylist()
        again.drop_null().validate(full=True)


def test_a_null_count_is_not_believed() -> None:
    record, memory = written(pa.array([1, None, 3]))
    lie = bytearray(record)
    struct.pack_into("<q", lie, 8, 3)
    again = rebuild(pa.int64(), bytes(lie), pa.py_buffer(memory))
    assert (again.null_count, again.drop_null().to_pylist()) == (1, [1, 3])


def test_a_buffer_that_is_not_aligned_is_refused() -> None:
    record, memory = written(pa.array(range(100)))
    moved = bytearray(record)
    struct.pack_into("<q", moved, len(moved) - 16, 1)
    with pytest.raises(LayoutError, match=r"^not a valid array of int64: a buffer that is not aligned$"):
        rebuild(pa.int64(), bytes(moved), pa.py_buffer(bytes(memory) + bytes(64)))


def test_a_member_may_be_called_after_a_view() -> None:
    assert is_plain(pa.struct([("preview", pa.binary())]))


def test_a_type_too_wide_for_a_frame_travels_as_a_stream() -> None:
    wide = pa.struct([(f"f{at}", pa.int8()) for at in range(5000)])
    assert not is_plain(wide)
    array = pa.array([{"f7": 7}], wide)
    assert from_stream(to_stream(array)).equals(array)


STREAMED = [
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())),
    pa.UnionArray.from_dense(pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array("x")]),
    pa.array(["a", None], pa.string_view()),
    pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int8(), [2]), pa.array([[1, 2]], pa.list_(pa.int8(), 2))),
    pa.RunEndEncodedArray.from_arrays(pa.array([2, 3]), pa.array(["a", "b"])),
]


@pytest.mark.parametrize("array", STREAMED, ids=lambda array: str(array.type))
def test_an_array_that_travels_as_a_stream_survives(array: pa.Array[Any]) -> None:
    assert not is_plain(array.type)
    again = from_stream(to_stream(array))
    assert again.type == array.type
    assert again.equals(array)


@settings(deadline=None)  # the first example loads what reads streams
@given(st.sampled_from(STREAMED), st.data())
def test_a_damaged_stream_is_refused_or_still_a_valid_array(array: pa.Array[Any], data: st.DataObject) -> None:
    stream = bytearray(to_stream(array).to_pybytes())
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = from_stream(pa.py_buffer(bytes(stream)))
    except LayoutError:
        return
    again.validate(full=True)


@pytest.mark.parametrize(
    "array",
    [
        pa.nulls(3),
        pa.array([None, 5], pa.timestamp("us", "UTC")),
        pa.array([b"abc", None], pa.binary(3)),
        pa.array([1, None], pa.decimal128(10, 2)),
        pa.array([1.5], pa.float16()),
        pa.array([], pa.list_(pa.string())),
        pa.StructArray.from_arrays([pa.array(range(100)).slice(50, 2)], ["a"]),
        pa.array([{"a": None}, None], pa.struct([("a", pa.struct([]))])),
    ],
    ids=lambda array: str(array.type),
)
def test_uncommon_types_survive(array: pa.Array[Any]) -> None:
    record, memory = written(array)
    again = rebuild(array.type, record, pa.py_buffer(bytes(memory)))
    assert again.equals(array)
    assert again.to_pylist() == array.to_pylist()


def test_a_binary_hole_has_room_for_what_its_offsets_can_say() -> None:
    with pytest.raises(ValueError, match=r"^a Binary value has at most 2147483647 bytes, not 2147483648: use LargeB"):
        binary_hole(2**31, large=False)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_no_stream(data: bytes) -> None:
    with pytest.raises(LayoutError):
        from_stream(pa.py_buffer(data))


def test_a_record_of_another_type_is_refused() -> None:
    record, memory = written(pa.array([1, 2, 3]))
    with pytest.raises(LayoutError):
        rebuild(pa.string(), record, pa.py_buffer(memory))
    with pytest.raises(LayoutError):
        rebuild(pa.int64(), record + b"\0", pa.py_buffer(memory))


def test_a_hole_is_written_in_place() -> None:
    layout = lay_out(byte_hole(5))
    memory = bytearray(layout.size)
    layout.write(memoryview(memory))
    memory[layout.hole :] = b"hello"
    assert rebuild(pa.uint8(), layout.record, pa.py_buffer(memory)).to_pylist() == list(b"hello")


@pytest.mark.parametrize("binary", [pa.binary(), pa.large_binary()])
def test_a_struct_with_a_hole_is_one_row(binary: pa.DataType) -> None:
    kind = pa.struct([("width", pa.uint32()), ("data", binary), ("name", pa.string())])
    others = {"width": take_apart(pa.array([7], pa.uint32())), "name": take_apart(pa.array(["x"]))}
    layout = lay_out(struct_hole(kind, others, "data", 3))
    memory = bytearray(layout.size)
    layout.write(memoryview(memory))
    memory[layout.hole :] = b"abc"
    row = rebuild(kind, layout.record, pa.py_buffer(memory)).to_pylist()
    assert row == [{"width": 7, "data": b"abc", "name": "x"}]
