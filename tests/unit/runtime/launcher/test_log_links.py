"""Which inputs read logs, what they read, and the bytes that reach them."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    HostWiring,
    InputWiring,
    Link,
    LogRules,
    NodeWiring,
    OutputWiring,
)
from doraflow_runtime.formats.arrow import Rebuilder
from doraflow_runtime.launcher.log_links import LogLink, is_of_log, log_links, without_backpressure
from doraflow_runtime.launcher.log_messages import STRING_SCHEMA, dora_text, string_type, text_message
from doraflow_runtime.launcher.records import Record
from doraflow_runtime.shm import wire

TALKER = NodeWiring(
    "talker",
    outputs=(OutputWiring("lines"), OutputWiring("records"), OutputWiring("data")),
    logs=LogRules(lines_to="lines", records_to="records"),
)


def reader(*inputs: tuple[str, str]) -> NodeWiring:
    ports = tuple(InputWiring(name, source, 7, "backpressure") for name, source in inputs)
    return NodeWiring("reader", ports)


def wiring(node: NodeWiring) -> HostWiring:
    links = tuple(
        Link(index, "talker", port.source.split("/")[1], node.id, port.id)
        for index, port in enumerate(node.inputs, 5)
        if port.source.startswith("talker/")
    )
    return HostWiring(CONTRACT_VERSION, "flow", "local", (TALKER, node), links)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("dora/logs", [LogLink(1, "reader", "x", 7)]),
        ("dora/logs/warn", [LogLink(1, "reader", "x", 7, lowest="warn")]),
        ("dora/logs/info/talker", [LogLink(1, "reader", "x", 7, node="talker", lowest="info")]),
        ("talker/lines", [LogLink(1, "reader", "x", 7, "lines", "talker")]),
        ("talker/records", [LogLink(1, "reader", "x", 7, node="talker", structured=True)]),
        ("talker/data", []),
        ("dora/timer/millis/5", []),
    ],
)
def test_inputs_that_read_logs_become_links_of_the_launcher(source: str, expected: list[LogLink]) -> None:
    assert list(log_links(wiring(reader(("x", source))))) == expected


def test_links_are_numbered_for_each_reader_and_hold_nobody_back() -> None:
    node = reader(("all", "dora/logs"), ("l", "talker/lines"), ("d", "talker/data"), ("r", "talker/records"))
    table = wiring(node)
    links = log_links(table)
    assert [(link.index, link.input) for link in links] == [(1, "all"), (2, "l"), (3, "r")]
    assert [is_of_log(link, TALKER) for link in table.links] == [True, False, True]
    policies = {port.id: port.queue_policy for port in without_backpressure(node, links).inputs}
    assert policies == {"all": "drop_oldest", "l": "drop_oldest", "d": "backpressure", "r": "drop_oldest"}
    assert without_backpressure(TALKER, links) is TALKER
    assert links[0].as_link() == Link(1, "dora/logs", "", "reader", "all")


def test_no_node_hears_its_own_log_but_its_own_output() -> None:
    link = LogLink(1, "reader", "x", 7)
    assert [link.hears(node) for node in ("talker", "reader")] == [True, False]
    assert not replace(link, node="reader").hears("reader")
    assert not replace(link, node="talker").hears("other")
    assert replace(link, node="reader", carries="lines").hears("reader")


def test_a_structured_link_takes_no_plain_lines() -> None:
    assert LogLink(1, "r", "x", 7).takes("stdout", is_structured=False)
    assert not LogLink(1, "r", "x", 7, structured=True).takes("stdout", is_structured=False)
    assert not LogLink(1, "r", "x", 7, lowest="warn").takes("info", is_structured=True)


@pytest.mark.parametrize("text", ["", "x", "é" * 100, "{}" * 40_000, "\ud800"])
def test_a_text_arrives_as_an_array_of_one_string(text: str) -> None:
    kind = pa.ipc.read_schema(pa.py_buffer(STRING_SCHEMA)).field(0).type
    assert kind == pa.string()
    frames = wire.FrameReader().feed(string_type() + text_message(3, text))
    assert [(frame.kind, frame.link, frame.number) for frame in frames] == [(2, 0, 1), (3, 3, 1)]
    message = wire.read_message(frames[1])
    array = Rebuilder(kind).array(message.record, pa.py_buffer(message.payload))
    array.validate(full=True)
    assert array.to_pylist() == [text.encode(errors="backslashreplace").decode()]


def test_a_record_has_dora_s_form() -> None:
    fields: dict[str, object] = {"file": "a.py", "line": 7, "lux": 3, "why": "dust", "deep": {"a": [1]}}
    record = Record("2026-01-02T03:04:05.000006+00:00", "warn", "n", "m", "t", fields, "4bf9")
    assert json.loads(dora_text(record, "run")) == {
        "build_id": None,
        "dataflow_id": "run",
        "node_id": "n",
        "daemon_id": None,
        "level": "WARN",
        "target": "t",
        "module_path": None,
        "file": "a.py",
        "line": 7,
        "message": "m",
        "timestamp": "2026-01-02T03:04:05.000006Z",
        "fields": {"lux": "3", "why": "dust", "deep": '{"a": [1]}', "trace_id": "4bf9"},
    }
    plain = json.loads(dora_text(Record("2026-01-02T03:04:05.000006+00:00", "stdout", "n", "m"), "run"))
    assert (plain["level"], plain["fields"], plain["line"]) == ("stdout", None, None)
