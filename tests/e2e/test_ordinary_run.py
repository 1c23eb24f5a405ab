"""A run from start to end in which nothing goes wrong."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs/nodes.md"

SENDER = """
    import pyarrow as pa
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        for number in range(3):
            node.send_output("number", pa.array([number]))
        print("sent all")
"""
READER = """
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        for event in node:
            print(event.type, event.id, event.value.to_pylist() if event.type == "INPUT" else "")
"""


def test_two_nodes_exchange_data_and_the_run_ends_with_0(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("sender", SENDER, outputs=("number",))
    bundle.node("reader", READER, inputs={"number": "sender/number"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    lines = [line for line in launch.out.splitlines() if line.startswith("reader")]
    assert lines == [
        "reader | INPUT number [0]",
        "reader | INPUT number [1]",
        "reader | INPUT number [2]",
        "reader | INPUT_CLOSED number ",
        "reader | STOP ALL_INPUTS_CLOSED ",
    ]
    assert "sender | sent all" in launch.out


def test_with_exit_when_nodes_finish_a_timer_keeps_no_node_alive(world: Any) -> None:
    bundle = world.bundle()
    bundle.exit_when_nodes_finish = True
    bundle.node("sender", SENDER, outputs=("number",))
    bundle.node("reader", READER, inputs={"number": "sender/number", "tick": "dora/timer/millis/20"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "reader | STOP ALL_INPUTS_CLOSED" in launch.out


def test_the_node_on_the_page_that_reads_bytes_reads_them(world: Any) -> None:
    (shown,) = re.findall(r"## Values as bytes\n.*?```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    bundle = world.bundle()
    bundle.node("sender", SENDER, outputs=("number",))
    bundle.node("reader", textwrap.indent(shown, "    "), inputs={"number": "sender/number"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "reader | total 3\n" in launch.out
