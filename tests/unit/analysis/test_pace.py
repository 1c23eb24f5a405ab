from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.pace import check_pace
from doraflow.diagnostics import Sink, Span
from doraflow.ir import Edge, Graph, Input, Node, Output, PortReference, Timer

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check, Checked

FLOW = """\
nodes:
  - {{id: camera, path: c.py, inputs: {{tick: {fast}}}, outputs: [image]}}
  - id: planner
    path: p.py
    inputs:
      tick: {slow}
      image: {image}
"""


def pace(checked: Checked) -> list[str]:
    return [finding.message for finding in checked.findings if finding.code in ("DF407", "DF408")]


def test_a_queue_that_cannot_hold_what_comes_between_two_ticks_is_told_with_the_drop_rate(check: Check) -> None:
    checked = check(FLOW.format(fast="dora/timer/hz/30", slow="dora/timer/hz/1", image="camera/image"))
    finding = checked.only("DF407")
    assert (str(finding.severity), str(finding.span), finding.message) == (
        "note",
        "flow.yml:7:14",
        (
            "`image` of `planner` gets up to 30 messages from one `tick` to the next and its queue holds 10: if "
            "`planner` is busy until the next `tick`, 20 of 30 are dropped (67%, 20 a second)"
        ),
    )
    assert finding.label == "`camera` sends here up to 30 times a second"
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:2:45", "the pace of `camera`: 30 times a second"),
        ("flow.yml:6:13", "the pace of `planner`: once a second"),
    ]
    assert finding.notes == ("`camera` is taken to send at most one message on an output for each one that it gets",)
    assert finding.help == (
        "write `queue_size: 1` if only the newest message counts, or `queue_size: 30` if none may be lost"
    )


@pytest.mark.parametrize(
    ("fast", "slow", "image"),
    [
        ("dora/timer/hz/10", "dora/timer/hz/1", "camera/image"),
        ("dora/timer/hz/30", "dora/timer/hz/1", "{source: camera/image, queue_size: 1}"),
        ("dora/timer/hz/30", "dora/timer/hz/1", "{source: camera/image, queue_size: 30}"),
        ("dora/timer/hz/30", "dora/timer/hz/1", "{source: camera/image, queue_policy: backpressure}"),
        ("dora/timer/hz/30, more: dora/timer/hz/1", "dora/timer/hz/1", "camera/image"),
        ("dora/timer/hz/1", "dora/timer/hz/30", "camera/image"),
    ],
)
def test_a_queue_that_is_long_enough_or_short_on_purpose_is_fine(
    check: Check, fast: str, slow: str, image: str
) -> None:
    assert pace(check(FLOW.format(fast=fast, slow=slow, image=image))) == []


def test_sixty_hertz_are_sixty_messages_a_second(check: Check) -> None:
    (message,) = pace(check(FLOW.format(fast="dora/timer/hz/60", slow="dora/timer/secs/1", image="camera/image")))
    assert "50 of 60 are dropped (83%, 50 a second)" in message


def test_without_a_timer_of_its_own_nothing_is_known_of_the_reader(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: camera, path: c.py, inputs: {tick: dora/timer/hz/1000}, outputs: [image]}\n"
        "  - {id: planner, path: p.py, inputs: {image: camera/image}}\n"
    )
    assert pace(checked) == []


def test_a_rate_is_carried_along_nodes_with_one_input(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: plan, path: p.py, inputs: {t: dora/timer/secs/2, boxes: detect/boxes}}\n"
        "  - {id: camera, path: c.py, inputs: {tick: dora/timer/hz/30}, outputs: [image]}\n"
        "  - {id: detect, path: d.py, inputs: {image: camera/image}, outputs: [boxes]}\n"
    )
    finding = checked.only("DF407")
    assert "50 of 60 are dropped (83%, 25 a second)" in finding.message
    assert finding.notes == (
        "`camera` and `detect` are taken to send at most one message on an output for each one that they get",
    )


@pytest.mark.parametrize(
    "line",
    [
        "{id: camera, path: dynamic, inputs: {tick: dora/timer/hz/30}, outputs: [image]}",
        "{id: camera, path: c.py, send_stdout_as: image, inputs: {tick: dora/timer/hz/30}, outputs: [image]}",
        "{id: camera, path: c.py, inputs: {again: camera/image}, outputs: [image]}",
        "{id: camera, path: c.py, outputs: [image]}",
    ],
)
def test_a_sender_with_reasons_of_its_own_has_no_known_rate(check: Check, line: str) -> None:
    checked = check(
        f"nodes:\n  - {line}\n  - {{id: plan, path: p.py, inputs: {{t: dora/timer/secs/9, x: camera/image}}}}\n"
    )
    assert pace(checked) == []


def test_a_timer_slower_than_its_timeout_closes_after_every_tick(check: Check) -> None:
    checked = check("nodes:\n  - {id: a, path: a.py, inputs: {tick: {source: dora/timer/secs/10, input_timeout: 5}}}\n")
    assert pace(checked) == [
        (
            "`tick` of `a` ticks once in 10 s and counts as closed after 5 s without a message, so it closes after "
            "every tick"
        )
    ]
    assert checked.only("DF408").severity == "warning"


def test_messages_rarer_than_the_timeout_are_a_note(check: Check) -> None:
    image = "{source: camera/image, input_timeout: 0.5}"
    checked = check(FLOW.format(fast="dora/timer/secs/1", slow="dora/timer/hz/30", image=image))
    assert pace(checked) == [
        (
            "`image` of `planner` gets a message at most once in 1 s and counts as closed after 0.5 s without one, "
            "so it closes after every message"
        )
    ]
    finding = checked.only("DF408")
    assert (finding.severity, finding.help) == ("note", "write a time above 1")


def test_a_timeout_on_the_answers_of_a_server_is_told(check: Check) -> None:
    checked = check(
        "nodes:\n  - id: ask\n    path: a.py\n    pattern: service-client\n    outputs: [q]\n"
        "    inputs: {a: {source: map/a, input_timeout: 2}}\n"
        "  - {id: map, path: m.py, pattern: service-server, inputs: {q: ask/q}, outputs: [a]}\n"
    )
    assert pace(checked) == [
        "`a` of `ask` reads the answers of a server, `map/a`, and counts as closed when nobody has asked for a while"
    ]


def test_a_timeout_that_leaves_room_is_fine(check: Check) -> None:
    image = "{source: camera/image, input_timeout: 5}"
    assert pace(check(FLOW.format(fast="dora/timer/secs/1", slow="dora/timer/secs/1", image=image))) == []


def chain(count: int) -> Graph:
    """Make a chain behind a timer, in which every node has a slow timer too where the number is even."""
    span = Span("flow.yml", 1, 1, 1, 2)
    ticks = Input("t", Timer(10**6, "dora/timer/millis/1"), span, span)
    nodes = [Node("n0", "python", span, "a.py", inputs=(ticks,), outputs=(Output("x", span),))]
    edges = []
    for number in range(1, count):
        port = Input("i", PortReference(f"n{number - 1}", "x"), span, span)
        nodes.append(Node(f"n{number}", "python", span, "a.py", inputs=(port,), outputs=(Output("x", span),)))
        edges.append(Edge(f"n{number - 1}", "x", f"n{number}", "i", span))
    slow = Input("t", Timer(10**9, "dora/timer/secs/1"), span, span)
    last = Input("i", PortReference(f"n{count - 1}", "x"), span, span)
    nodes.append(Node("last", "python", span, "a.py", inputs=(slow, last)))
    edges.append(Edge(f"n{count - 1}", "x", "last", "i", span))
    return Graph("flow", "flow.yml", tuple(nodes), tuple(edges), file="flow.yml")


def test_a_chain_of_ten_thousand_nodes_takes_no_time_and_is_told_in_short() -> None:
    graph, sink = chain(10_000), Sink()
    started = time.process_time()
    check_pace(graph, sink)
    assert time.process_time() - started < 1
    assert sink.found[0].notes[0].startswith("`n0`, 9998 more and `n9999` are taken")
