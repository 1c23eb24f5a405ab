"""Nodes and operators written for dora, run as they are."""

from __future__ import annotations

from typing import Any

DORA_MODULE = """
    from doraflow_runtime.node_api.dora import *
    from doraflow_runtime.node_api.dora import __all__, __getattr__
"""
SENDER = """
    import pyarrow as pa
    from dora import Node

    node = Node()
    for event in node:
        if event["type"] == "INPUT":
            node.send_output("speech", pa.array(["hello"]), event["metadata"])
            break
"""
READER = """
    from dora import Node

    node = Node()
    for event in node:
        if event["type"] == "INPUT":
            print("heard", event["id"], event["value"].to_pylist())
        else:
            print(event["type"], event["id"])
"""
OPERATOR = """
    from dora import DoraStatus

    class Operator:
        def __init__(self):
            self.seen = 0

        def on_event(self, event, send_output):
            if event["type"] == "INPUT":
                self.seen += 1
                send_output("count", bytes([self.seen]))
                if self.seen == 3:
                    return DoraStatus.STOP_ALL
            return DoraStatus.CONTINUE
"""
TIMER = {"tick": "dora/timer/millis/20"}


def with_dora(world: Any) -> Any:
    bundle = world.bundle()
    bundle.source("../runtime/dora/__init__.py", DORA_MODULE)
    return bundle


def test_an_unmodified_dora_node_runs(world: Any) -> None:
    bundle = with_dora(world)
    bundle.node("sender", SENDER, inputs=TIMER, outputs=("speech",))
    bundle.node("reader", READER, inputs={"words": "sender/speech"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "reader | heard words ['hello']\nreader | INPUT_CLOSED words\n" in launch.out


def test_an_operator_that_returns_stop_all_ends_the_dataflow(world: Any) -> None:
    bundle = with_dora(world)
    bundle.node(
        "ops", inputs={"counter/tick": "dora/timer/millis/20"}, outputs=("counter/count",), operators=("counter",)
    )
    bundle.source("counter.py", OPERATOR)
    bundle.node("reader", READER, inputs={"count": "ops/counter/count", **TIMER})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "doraflow: stopping: `ops` asked for it" in launch.err
    # a stop overtakes messages that wait, as in dora, so the last one may not have been heard
    assert "reader | heard count [1]" in launch.out
    assert "reader | STOP MANUAL" in launch.out
