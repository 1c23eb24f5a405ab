"""Real processes that exchange messages over TCP, as nodes of different hosts do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

SEND = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range({count}):
        node.send_output("out", pa.array([number] * ({width}), pa.int64()), {{"number": number}})
"""

RECEIVE = """
from doraflow_runtime.node_api.node import Node
seen = []
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            number = event.metadata["number"]
            assert event.value.to_pylist() == [number] * ({width}), event
            seen.append(number)
        else:
            print(event.type, event.id)
print(seen[0], seen[-1], len(seen), seen == sorted(seen))
"""


@pytest.mark.parametrize("width", ["3", "2_000", "20_000", "number % 7 * 3_000"])
def test_messages_of_every_size_arrive_whole_and_in_order_and_the_end_is_told(run: Run, width: str) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.apart("b")
    run.listen(2)
    sender = run.spawn("a", SEND.format(count=500, width=width))
    receiver = run.spawn("b", RECEIVE.format(width=width))
    assert run.finish(receiver) == "INPUT_CLOSED in\nSTOP ALL_INPUTS_CLOSED\n0 499 500 True\n"
    run.finish(sender)
