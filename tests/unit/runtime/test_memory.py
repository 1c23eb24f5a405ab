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


def test_a_message_to_many_readers_lies_in_memory_once(run: Run) -> None:
    readers = ("b", "c", "d", "e")
    run.node("a", ("out",))
    for name in readers:
        run.node(name)
        run.link("a/out", f"{name}/in", 10)
    run.listen(5)
    a, *reading = run.join("a", *readers)
    for number in range(6):
        a.send_output("out", bytes([number]) * 1_000_000)
    kept = [[event.value for _, event in zip(range(6), node, strict=False)] for node in reading]
    pool = a._core.pool
    assert (pool.slots_in_use, pool.bytes_in_use) == (6, 6 * 1024 * 1024)
    assert [[array[0].as_py() for array in arrays] for arrays in kept] == [[0, 1, 2, 3, 4, 5]] * 4
    assert a.undelivered == {f"{name}/in": 0 for name in readers}
    kept.clear()
