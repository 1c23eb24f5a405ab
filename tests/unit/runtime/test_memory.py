"""How much shared memory a node needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Run

SEND = """
import time
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for _ in range(100):
        node.send_output("out", bytes(1_000_000))
        time.sleep(0.003)
    print(node._core.pool.bytes_mapped)
"""
TAKE = "from doraflow_runtime.node_api.node import Node\nfor _ in Node(): pass"


def test_a_node_that_only_sends_uses_the_same_memory_again(run: Run) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10)
    run.listen(2)
    receiver = run.spawn("b", TAKE)
    sender = run.spawn("a", SEND)
    assert int(run.finish(sender)) <= 24 * 1024 * 1024, "at most a queue's worth, and what is on its way"
    run.finish(receiver)
