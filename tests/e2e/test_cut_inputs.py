"""A cable that is pulled under inputs that may lose messages: what their reader hears, and what is counted."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.fleet import Fleet

HOSTS = ("one", "two")

FLOW = """\
nodes:
  - id: source
    path: source.py
    inputs: {tick: dora/timer/millis/10}
    outputs: [data]
    deploy: {machine: one}
  - id: sink
    path: sink.py
    inputs: {data: {source: source/data, input_timeout: 1}}
    deploy: {machine: two}
"""

SOURCE = """
from doraflow_runtime.node_api.node import Node
number = 0
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            node.send_output("data", b"1", {"number": number})
            number += 1
    print("undelivered", node.undelivered["sink/data"], flush=True)
"""

SINK = """
from doraflow_runtime.node_api.node import Node
seen, early = [], 0
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            early = early if seen else node.dropped["data"]  # at a slow start, before the first message
            seen.append(event.metadata["number"])
            if len(seen) == 50:
                print("flows", flush=True)
        elif event.type != "STOP":
            print(event.type, event.id, flush=True)
    missing = seen[-1] - seen[0] + 1 - len(seen)
    dropped = node.dropped["data"] - early
    print("missing", missing, "dropped", dropped, "in order", seen == sorted(set(seen)), flush=True)
"""


def test_an_input_of_a_host_that_is_cut_off_closes_and_recovers_and_what_it_misses_is_told_and_counted(
    fleet: Fleet,
) -> None:
    bundle = fleet.build(FLOW, {"source": SOURCE, "sink": SINK})
    sink, source = (fleet.launch(bundle, host) for host in ("two", "one"))
    sink.wait_for("flows")
    fleet.network.cut("two")
    sink.wait_for("INPUT_CLOSED data")
    source.wait_for("the link to `sink` on `two` (tcp://10.99.0.2:29401) is cut; it is taken up again")
    fleet.network.mend("two")
    sink.wait_for("INPUT_RECOVERED data")
    source.wait_for("the link to `sink` on `two` is there again")
    sink.process.send_signal(signal.SIGINT)
    assert [sink.wait(), source.wait()] == [0, 0], sink.err + source.err
    said = sink.out + sink.err + source.out + source.err
    lost = number(r"(\d+) messages of `source` on `one` were lost between the hosts", said)
    dropped = number(r"is there again; (\d+) messages on their way were dropped", said)
    assert lost == dropped > 0  # those that the sender let wait meanwhile have no numbers, and are its own affair
    assert lost <= number(r"dropped (\d+) in order True", said) <= number(r"missing (\d+)", said)
    assert number(r"undelivered (\d+)", said) >= lost


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, f"{pattern} in:\n{text}"
    return int(found[1])
