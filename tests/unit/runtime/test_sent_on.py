"""Values that a node sends on as it has received them: they are recognised, and nothing else is taken for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from conftest import Run

RELAY = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    before = None
    for event in node:
        if event.type != "INPUT":
            break
        value = event.value
        sent = [value, value[1:], value if before is None else before, value]
        for data in sent:
            node.send_output("out", data)
        before = value
        del event, value, sent
"""
KINDS = (pa.int64(), pa.int64(), pa.float64(), pa.int64(), pa.int16(), pa.int16(), pa.date32(), pa.string(), pa.int64())


@pytest.mark.parametrize("length", [3, 9_000], ids=["in frames", "in slots"])
def test_what_is_sent_on_is_what_was_received(run: Run, length: int) -> None:
    run.node("a", ("out",))
    run.node("r", ("out",))
    run.node("c")
    run.link("a/out", "r/in", 10, "backpressure")
    run.link("r/out", "c/in", 100, "backpressure")
    run.listen(3)
    run.spawn("r", RELAY)
    a, c = run.join("a", "c")
    before: pa.Array | None = None
    for number, kind in enumerate(KINDS):
        values = pa.array([(number + place) % 100 for place in range(length)]).cast(
            pa.int32() if kind == pa.date32() else kind
        )
        values = values.cast(kind)
        a.send_output("out", values)
        for expected in (values, values[1:], values if before is None else before, values):
            event = c.next(30)
            assert event is not None
            assert event.value is not None
            assert event.value.type == expected.type
            assert event.value.equals(expected)
        before = values
