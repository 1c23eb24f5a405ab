"""Types as they travel: those too large for a frame, and those that differ in the metadata of their fields alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from conftest import Run


def row(metadata: dict[str, str]) -> pa.StructArray:
    return pa.array([{"x": 1}], pa.struct([pa.field("x", pa.int8(), metadata=metadata)]))


def test_a_type_too_large_for_a_frame_travels_with_its_message(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    large = row({"note": "v" * 5_000_000})
    for array in (large, pa.array([1]), large):
        a.send_output("out", array)
    received = [b.next(10) for _ in range(3)]
    assert [event.value for event in received if event] == [large, pa.array([1]), large]
    assert received[2] is not None
    assert received[2].value is not None
    assert received[2].value.type.equals(large.type, check_metadata=True)


def test_a_type_too_large_for_a_frame_is_not_lent(run: Run) -> None:
    run.pair()
    a, _ = run.join("a", "b")
    kind = pa.struct([pa.field("x", pa.binary(), metadata={"note": "v" * 5_000_000})])
    with pytest.raises(TypeError, match=r"^output `out` cannot lend memory for struct<x: binary>"):
        a.loan_struct("out", kind, {}, "x", 10)


def test_types_that_differ_in_the_metadata_of_a_field_arrive_as_they_are(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    sent = [row({"unit": unit}) for unit in ("m", "mm", "m")]
    for array in sent:
        a.send_output("out", array)
    for array in sent:
        event = b.next(10)
        assert event is not None
        assert event.value is not None
        assert event.value.type.field(0).metadata == array.type.field(0).metadata
