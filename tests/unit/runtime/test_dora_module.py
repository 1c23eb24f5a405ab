"""Nodes written for dora, and operators, over doraflow's runtime."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doraflow_runtime.contract import OperatorWiring

if TYPE_CHECKING:
    from conftest import Run

SENDER = """
import sys
from doraflow_runtime.node_api import dora
sys.modules["dora"] = dora
import pyarrow as pa
from dora import Node

node = Node()
for number in range(5):
    node.send_output("out", pa.array([number]), {"number": number})
node.send_output("out", b"bytes", metadata={"parameters": {"number": 5}})
"""

RECEIVER = """
import sys
from doraflow_runtime.node_api import dora
sys.modules["dora"] = dora
from dora import Node

node = Node()
for event in node:
    if event["type"] == "INPUT":
        metadata = event["metadata"]
        print(event["id"], event["value"].to_pylist(), metadata["number"], metadata["timestamp"].tzinfo)
    else:
        print(event)
"""


def test_unmodified_dora_nodes_run(run: Run) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", policy="backpressure")
    run.listen(2)
    sender = run.spawn("a", SENDER)
    receiver = run.spawn("b", RECEIVER)
    assert run.finish(receiver).splitlines() == [
        *(f"in [{number}] {number} UTC" for number in range(5)),
        "in [98, 121, 116, 101, 115] 5 UTC",
        "{'type': 'INPUT_CLOSED', 'id': 'in', 'kind': 'dora'}",
        "{'type': 'STOP', 'id': 'ALL_INPUTS_CLOSED', 'kind': 'dora'}",
    ]
    run.finish(sender)


TIMED_OUT = "Timeout event stream error: Receiver timed out"

ASKING = """
import asyncio, logging, sys
from doraflow_runtime.node_api import dora
sys.modules["dora"] = dora
from dora import DoraStatus, Node

with Node("b") as node:
    told = node.node_config()
    print(node.dataflow_id(), node.is_restart(), node.restart_count(), told["id"], int(DoraStatus.STOP))
    print(node.next(timeout=10)["value"].to_pylist())
    print(asyncio.run(node.recv_async(timeout=10))["value"].to_pylist())
    input()
    print(node.is_empty(), [event["id"] for event in node.drain()], node.try_recv(), node.is_empty())
    print(node.next(timeout=0.01)["error"], asyncio.run(node.recv_async(timeout=0.01))["error"])
    logging.getLogger("there").warning("over %s", "there")
    node.log_info("by hand")
    node.log("debug", "with fields", "target", {"key": "value"})
    for call in (
        lambda: node.log("loud", "x"),
        lambda: node.merge_external_events("x"),
        lambda: dora.Ros2Context,
        lambda: dora.nothing,
    ):
        try:
            call()
        except Exception as error:
            print(type(error).__name__, error)
    print([event["type"] for event in node])
"""


def test_every_way_to_ask_for_events_and_to_log(run: Run) -> None:
    run.pair()
    sender = run.spawn("a", SENDER + "\nprint('sent', flush=True)\ninput()")
    receiver = run.spawn("b", ASKING)
    assert sender.stdout is not None
    assert sender.stdout.readline() == "sent\n"
    assert receiver.stdin is not None
    receiver.stdin.write("all is there\n")
    receiver.stdin.flush()
    lines = []
    assert receiver.stdout is not None
    while not lines or lines[-1] != "AttributeError module `dora` has no attribute `nothing`\n":
        lines.append(receiver.stdout.readline())
        assert lines[-1], lines
    sender.communicate("\n", timeout=30)
    assert run.finish(receiver) == "['INPUT_CLOSED', 'STOP']\n"
    plain = [line.rstrip() for line in lines if not line.startswith("{")]
    assert plain == [
        "run-1 False 0 b 1",
        "[0]",
        "[1]",
        "False ['in', 'in', 'in', 'in'] None True",
        f"{TIMED_OUT} {TIMED_OUT}",
        "ValueError there is no log level `loud`: the levels are error, warn, info, debug, trace",
        "RuntimeError doraflow has no ROS 2 bridge, so str cannot be merged",
        "AttributeError doraflow's `dora` module has no `Ros2Context`: it does not support ROS 2 bridges",
        "AttributeError module `dora` has no attribute `nothing`",
    ]
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert [(line["level"], line["message"], line["target"]) for line in logged] == [
        ("warn", "over there", "there"),
        ("info", "by hand", None),
        ("debug", "with fields", "target"),
    ]
    assert logged[2]["fields"] == {"key": "value"}


OPERATOR = """
class Operator:
    def on_event(self, event, send_output):
        if event["type"] == "INPUT":
            send_output("doubled", event["value"].take([0, 0]), event["metadata"])
        return 0
"""


def test_an_operator_answers_under_its_own_names(run: Run) -> None:
    (run.directory / "double.py").write_text(OPERATOR)
    run.node("a", ("out",))
    run.node("o", ("op/doubled",), (OperatorWiring("op", "python", "double.py"),))
    run.node("b")
    run.link("a/out", "o/op/in", policy="backpressure")
    run.link("o/op/doubled", "b/in", policy="backpressure")
    run.listen(3)
    processes = [
        run.spawn("a", SENDER),
        run.spawn("o", "from doraflow_runtime.operators.host import serve; serve()"),
    ]
    receiver = run.spawn("b", RECEIVER)
    assert run.finish(receiver).splitlines()[:2] == ["in [0, 0] 0 UTC", "in [1, 1] 1 UTC"]
    for process in processes:
        run.finish(process)
