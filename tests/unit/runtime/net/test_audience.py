"""Other zenoh applications that listen to the outputs of a node."""

from __future__ import annotations

import json
import queue
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    import subprocess

    from conftest import Run

zenoh = pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")

PATIENCE = 30

READ = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for event in node:
        print(event.type, event.id, flush=True)
"""

SEND = """
import sys, threading, time, pyarrow as pa
from datetime import datetime, timezone
from doraflow_runtime.node_api.node import Node
moment = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
is_heard = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_heard.set())).start()
with Node() as node:
    while not is_heard.wait(0.05):
        node.send_output("out", b"abc", {"number": 7})
"""
MORE = """
        about = {"at": moment, "gain": float("nan"), "words": ["a", "é"]}
        node.send_output("out", pa.array([1, 2, 3], pa.int16()), about)
        node.send_output("out", pa.array([number for number in range(20_000)]))
        node.send_output("out", pa.array(["a", "b", "a"]).dictionary_encode())
"""


def sender(run: Run, code: str) -> subprocess.Popen[str]:
    """Let a node send to another host until its standard input ends: who listens outside may miss any message."""
    run.node("a", ("out", "near"))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.apart("a", "b")
    run.goes_over_zenoh = True
    run.listen(2)
    run.spawn("b", READ)
    return run.spawn("a", code)


def values(sample: Any) -> object:
    return pa.ipc.open_stream(sample.payload.to_bytes()).read_next_batch().column(0).to_pylist()


def test_an_application_hears_the_outputs_that_go_to_other_hosts(run: Run) -> None:
    sending = sender(run, SEND + MORE)
    heard: queue.Queue[Any] = queue.Queue()
    settings = zenoh.Config()
    settings.insert_json5("connect/endpoints", json.dumps([f"tcp/127.0.0.1:{run.ports['a']}"]))
    settings.insert_json5("scouting/multicast/enabled", "false")
    with zenoh.open(settings) as session:
        session.declare_subscriber("dora/default/test/**", heard.put)
        samples: dict[str, Any] = {}
        while len(samples) < 4:
            sample = heard.get(timeout=PATIENCE)
            samples[str(values(sample))] = sample
        run.finish(sending)
    words = samples.pop("['a', 'b', 'a']")
    many = samples.pop(str(list(range(20_000))))
    few, first = samples.pop("[1, 2, 3]"), samples.pop("[97, 98, 99]")
    four = (first, few, many, words)
    assert {str(sample.key_expr) for sample in four} == {"dora/default/test/output/a/out"}
    assert {str(sample.encoding) for sample in four} == {"application/vnd.apache.arrow.stream"}
    assert json.loads(first.attachment.to_bytes())["parameters"] == {"number": 7}
    about = json.loads(few.attachment.to_bytes())
    assert about["parameters"] == {"at": "2026-01-31T12:00:00+00:00", "gain": None, "words": ["a", "é"]}
    assert about["sent_ns"] > 0
    assert run.finish(run.processes[0]).splitlines()[-2:] == ["INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]


def test_the_example_of_the_page_hears_what_it_shows(run: Run) -> None:
    sending = sender(run, SEND)
    page = (Path(__file__).resolve().parents[4] / "docs/hosts.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    told = f"import sys; sys.argv.append('tcp/127.0.0.1:{run.ports['a']}')\n"
    listener = run.spawn("a", told + example.replace("two_hosts", "test"))
    assert listener.stdout is not None
    first = "".join(listener.stdout.readline() for _ in range(5))
    assert first == "dora/default/test/output/a/out [\n  97,\n  98,\n  99\n] {'number': 7}\n"
    listener.kill()
    run.finish(sending)
