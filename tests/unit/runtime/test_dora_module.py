"""Nodes written for dora, and operators, over doraflow's runtime."""

from __future__ import annotations

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
