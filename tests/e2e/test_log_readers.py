"""Nodes that read what others write: `dora/logs` inputs, and outputs that carry the log of their node."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from doraflow_runtime.contract import InputWiring, LogRules, OutputWiring

READER = """
import json
from doraflow_runtime.node_api.dora import Node
for event in Node():
    if event["type"] == "INPUT":
        assert str(event["value"].type) == "string", event["value"].type
        (text,) = event["value"].to_pylist()
        print("got " + json.dumps([event["id"], text]))
    else:
        print(event["type"], event.get("id", ""))
"""
TALKER = """
import logging, sys
from doraflow_runtime.node_api.dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT" and event["id"] == "tick":
        break
print("plain")
print("to err", file=sys.stderr)
logging.warning("dark", extra={"lux": 3})
logging.info("fine")
sys.stdout.write("no end")
"""
TICK = {"tick": "dora/timer/millis/20"}


def got(launch: Any, node: str = "reader") -> list[tuple[str, str]]:
    lines = [str(record["message"]) for record in launch.log(node)]
    return [tuple(json.loads(line[4:])) for line in lines if line.startswith("got ")]


def wait_and_stop(world: Any, launch: Any) -> None:
    assert launch.wait() == 0, launch.err


def test_a_node_reads_the_log_of_all_others(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("talker", TALKER, inputs=TICK)
    bundle.node("reader", READER)
    port = InputWiring("all", "dora/logs", queue_size=100)
    grave = InputWiring("grave", "dora/logs/warn/talker", queue_size=100)
    bundle.nodes[-1] = replace(bundle.nodes[-1], inputs=(port, grave))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    received = [(name, json.loads(text)) for name, text in got(launch)]
    assert {message["node_id"] for _, message in received} == {"talker"}
    everything = [message for name, message in received if name == "all"]
    assert sorted(message["message"] for message in everything) == ["dark", "fine", "no end", "plain", "to err"]
    (dark,) = [message for name, message in received if name == "grave"]
    assert dark in everything
    run = json.loads((launch.logs / "run.json").read_text())["run"]
    assert (dark.pop("file")[-9:], dark.pop("line"), dark.pop("timestamp")[-1]) == ("talker.py", 10, "Z")
    assert dark == {
        "build_id": None,
        "dataflow_id": run,
        "node_id": "talker",
        "daemon_id": None,
        "level": "WARN",
        "target": "root",
        "module_path": None,
        "message": "dark",
        "fields": {"lux": "3"},
    }
    ends = [record["message"] for record in launch.log("reader")][-3:]
    assert sorted(ends[:2]) == ["INPUT_CLOSED all", "INPUT_CLOSED grave"]
    assert ends[2] == "STOP ALL_INPUTS_CLOSED"


def test_outputs_carry_lines_and_records_of_their_node(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("talker", TALKER, inputs=TICK, outputs=("lines", "records"))
    bundle.node("reader", READER, inputs={"l": "talker/lines", "r": "talker/records"})
    bundle.nodes[0] = replace(bundle.nodes[0], logs=LogRules(lines_to="lines", records_to="records", lowest="warn"))
    ports = tuple(replace(port, queue_size=100, queue_policy="backpressure") for port in bundle.nodes[1].inputs)
    bundle.nodes[1] = replace(bundle.nodes[1], inputs=ports)
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    received = got(launch)
    lines = [text for name, text in received if name == "l"]
    assert {"plain\n", "to err\n", "no end\n"} <= set(lines)
    assert sum(text.startswith('{"doraflow_log": 1') for text in lines) == 2
    assert [json.loads(text)["message"] for name, text in received if name == "r"] == ["dark"]
    assert [record["message"] for record in launch.log("talker")] == ["dark"]
    assert [record["message"] for record in launch.log("reader")][-1] == "STOP ALL_INPUTS_CLOSED"


def test_a_node_cannot_send_on_an_output_that_carries_its_log(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "talker",
        "from doraflow_runtime.node_api.dora import Node\nNode().send_output('lines', b'x')\n",
        outputs=("lines",),
    )
    bundle.node("reader", READER, inputs={"l": "talker/lines"})
    bundle.nodes[0] = replace(bundle.nodes[0], logs=LogRules(lines_to="lines"))
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert "ValueError: output `lines` of node `talker` carries its log, and the node cannot send on it" in launch.err


def test_a_reader_that_does_not_read_costs_its_own_messages_alone(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "talker",
        """
        import pathlib
        for number in range(100_000): print(number)
        pathlib.Path("said.txt").touch()
        """,
    )
    bundle.node(
        "reader",
        """
        import pathlib, time
        from doraflow_runtime.node_api.node import Node
        node = Node()
        while not pathlib.Path("said.txt").exists(): time.sleep(0.05)
        texts = [event.value[0].as_py() for event in node if event.type == "INPUT"]
        print(len(texts), __import__("json").loads(texts[-1])["message"])
        """,
    )
    bundle.nodes[-1] = replace(bundle.nodes[-1], inputs=(InputWiring("all", "dora/logs", queue_size=3),))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    count, last = str(launch.log("reader")[-1]["message"]).split()
    assert 3 <= int(count) < 50_000
    assert last == "99999"
    assert len(launch.log("talker")) == 100_000


def test_two_readers_of_everything_do_not_wait_for_one_another(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("talker", TALKER, inputs=TICK)
    for name in ("one", "two"):
        bundle.node(name, READER.replace('print("got "', 'len("got "'))
        bundle.nodes[-1] = replace(bundle.nodes[-1], inputs=(InputWiring("all", "dora/logs", queue_size=100),))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err


def test_readers_and_writers_that_are_started_again_find_one_another(world: Any) -> None:
    again = "from doraflow_runtime.node_api.node import Node\nnode = Node()\ncount = node.restart_count\n"
    bundle = world.bundle()
    bundle.node(
        "talker",
        again + "import time\ntime.sleep(1.0)\nprint('life', count, flush=True)\nif count < 2: raise SystemExit(1)\n",
        inputs={"tick": "dora/timer/millis/500"},
        restart_policy="on-failure",
        max_restarts=5,
    )
    bundle.node(
        "reader",
        again + "import os\nif not count: os._exit(1)\n"
        "for event in node:\n    if event.type == 'INPUT': print(event.value[0].as_py(), end='')\n",
        inputs={"life": "talker/life"},
        restart_policy="on-failure",
        max_restarts=5,
    )
    bundle.nodes[0] = replace(bundle.nodes[0], outputs=(OutputWiring("life"),), logs=LogRules(lines_to="life"))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert [record["message"] for record in launch.log("reader")] == ["life 0", "life 1", "life 2"]
