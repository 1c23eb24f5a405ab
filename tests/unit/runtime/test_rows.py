"""Rows and columns: what a generated dataclass is made of, without copies where there is memory to point to."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from doraflow_runtime.node_api import rows
from hypothesis import given
from hypothesis import strategies as st

POINT = pa.struct([("x", pa.int32()), ("name", pa.string())])

WRONG_MEMBER = (
    "expected struct<x: int32, name: string> with the member `x` of its type, got struct<x: int8, name: string>"
)


def address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).ctypes.data)


@given(st.lists(st.binary(max_size=30), max_size=8), st.sampled_from([pa.binary(), pa.large_binary()]), st.data())
def test_binary_values_survive_also_in_a_slice(items: list[bytes], kind: pa.DataType, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(items)))
    column = rows.binary_column(items, kind).slice(start)
    assert [bytes(view) for view in rows.binaries(column)] == items[start:]


@given(st.lists(st.lists(st.integers(0, 255), max_size=5), max_size=6), st.integers(0, 3))
def test_lists_survive_also_in_a_slice(items: list[list[int]], start: int) -> None:
    column = rows.list_column(items, pa.uint8()).slice(start)
    assert [array.to_pylist() for array in rows.lists(column)] == items[start:]


def test_binary_values_are_read_only_views_of_the_message() -> None:
    column = pa.array([b"abc", b"defg"], pa.large_binary())
    data = column.buffers()[2]
    assert data is not None
    first, second = rows.binaries(column)
    assert (address(first), address(second)) == (data.address, data.address + 3)
    assert first.readonly


def test_lists_are_views_of_the_message() -> None:
    column = rows.list_column([[1, 2], [3]], pa.int64())
    _, second = rows.lists(column)
    whole = column.values.buffers()[1]
    assert whole is not None
    assert second.to_numpy().ctypes.data == whole.address + 16


def test_columns_come_in_the_expected_order_whatever_the_order_of_the_message() -> None:
    array = pa.array(
        [{"name": "a", "x": 1}, {"name": "b", "x": 2}], pa.struct([("name", pa.string()), ("x", pa.int32())])
    )
    assert [column.to_pylist() for column in rows.columns(array.slice(1), POINT)] == [[2], ["b"]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([1]), "expected rows of struct<x: int32, name: string>, got int64"),
        (
            pa.array([{"x": 1}], pa.struct([("x", pa.int32())])),
            "expected struct<x: int32, name: string> with the member `name` of its type, got struct<x: int32>",
        ),
        (
            pa.array([{"x": 1, "name": "a"}], pa.struct([("x", pa.int8()), ("name", pa.string())])),
            WRONG_MEMBER,
        ),
    ],
)
def test_other_rows_are_refused(array: pa.StructArray, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        rows.columns(array, POINT)
    assert str(raised.value) == message


def test_a_list_of_other_items_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^expected a list of uint8, got int64$"):
        rows.list_column([pa.array([1])], pa.uint8())


def test_a_binary_value_that_is_missing_is_told_by_name() -> None:
    with pytest.raises(TypeError, match=r"^a value is null, and rows have no place for that$"):
        rows.binaries(pa.array([b"a", None]))
    with pytest.raises(TypeError, match=r"^a value is null, and rows have no place for that$"):
        rows.lists(pa.array([[1], None]))
    with pytest.raises(TypeError, match=r"^a value is null, and rows have no place for that$"):
        rows.values(pa.array([1, None]))


def test_structs_in_lists_survive() -> None:
    def to_arrow(items: object) -> pa.StructArray:
        return pa.array(items, POINT)

    column = rows.row_lists([[{"x": 1, "name": "a"}], [], [{"x": 2, "name": "b"}]], to_arrow, POINT)
    assert column.type == pa.large_list(POINT)
    assert [len(array) for array in rows.lists(column)] == [1, 0, 1]
    assert rows.row_lists([], to_arrow, POINT).type == pa.large_list(POINT)
