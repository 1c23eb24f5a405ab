from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.cycles import check_cycles
from doraflow.diagnostics import Sink
from tests.unit.analysis.flows import TIMER, flow
from tests.unit.analysis.graphs import graph_of

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


def test_a_loop_that_nothing_starts_is_drawn_from_its_first_node_and_labelled_at_every_edge(check: Check) -> None:
    checked = check(flow("source", "a < c.x", "b < a.x", "c < b.y", "view < c.x"))
    assert checked.told == [
        "warning DF401 9:11 nothing starts the loop a -> b -> c -> a: no timer and no source feeds it"
    ]
    finding = checked.only("DF401")
    assert finding.label == "`a` reads `c/x` here"
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:14:11", "`b` reads `a/x` here"),
        ("flow.yml:19:11", "`c` reads `b/y` here"),
    ]
    assert finding.help == (
        "give `a` a timer such as `tick: dora/timer/millis/100`, unless one of the nodes sends by itself"
    )


@pytest.mark.parametrize(
    "nodes",
    [
        (f"a < {TIMER} b.x", "b < a.x"),
        ("a < b.x", f"b < {TIMER} a.x"),
        ("a < source.x b.x", "b < a.x", "source"),
        ("a < b.x", "b < a.x source.x", "source"),
        ("a < b.x", "b < a.x c.x", "c < d.x", f"d < {TIMER}"),
        ("a < b.x", "b < a.x dora/logs"),
    ],
)
def test_a_loop_that_a_timer_a_source_or_the_log_reaches_is_fine(check: Check, nodes: tuple[str, ...]) -> None:
    assert [line for line in check(flow(*nodes)).told if "DF4" in line] == []


def test_a_dataflow_without_any_source_is_told_as_one_finding(check: Check) -> None:
    checked = check(flow("a < b.x", "b < a.x", "view < b.x"))
    assert checked.told == [
        "warning DF404 6:11 the dataflow has no source: every node waits for another one, as in a -> b -> a"
    ]


def test_two_loops_that_stand_apart_are_two_findings(check: Check) -> None:
    checked = check(flow("a < b.x", "b < a.x", "c < d.x", "d < c.x"))
    assert [line.split(":", 1)[0] for line in checked.told] == ["warning DF404 6", "warning DF401 16"]


def test_a_loop_that_an_idle_loop_would_start_is_not_told_too(check: Check) -> None:
    checked = check(flow("source", "c < d.x a.x", "d < c.x", "a < b.x", "b < a.x"))
    assert checked.told == ["warning DF401 20:11 nothing starts the loop a -> b -> a: no timer and no source feeds it"]


def test_of_a_knot_of_loops_the_shortest_through_the_first_node_is_drawn(check: Check) -> None:
    checked = check(flow("source", "a < d.x c.x", "b < a.x", "c < b.x", "d < c.x b.x"))
    assert "a -> b -> c -> a:" in checked.told[0]
    assert len(checked.told) == 1


def test_a_loop_with_an_input_whose_reference_failed_is_not_judged(check: Check) -> None:
    checked = check(flow("a < b.x b.none", "b < a.x"))
    assert [line.split()[1] for line in checked.told] == ["DF204"]


def test_a_node_that_reads_its_own_output_is_a_warning(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} a.x a.y"))
    assert checked.told == ["warning DF403 7:11 `a` reads its own output `a/x`"]
    assert checked.only("DF403").help == (
        "keep the value in the node's own state, unless the message is meant to come round again"
    )


def test_a_node_that_only_reads_itself_is_one_finding(check: Check) -> None:
    assert check(flow("a < a.x")).told == [
        "warning DF403 6:11 `a` reads its own output `a/x`, and nothing else feeds it: it must send first by itself"
    ]


def test_a_self_read_inside_a_loop_is_a_finding_of_its_own(check: Check) -> None:
    checked = check(flow("a < b.x a.y", "b < a.x"))
    assert [line.split(":")[0] for line in checked.told] == ["warning DF404 6", "warning DF403 7"]


def test_a_blocking_self_read_is_told_once(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} !a.x"))
    assert checked.told == [
        (
            "warning DF402 7:20 `a` reads its own output `a/x` from a queue that holds the sender back; "
            "a node cannot wait for itself, so the queue grows without bound where it sends more than it reads"
        )
    ]


OPERATORS = """\
nodes:
  - id: runtime
    operators:
      - {{id: one, python: a.py, inputs: {{{first}}}, outputs: [x]}}
      - {{id: two, python: b.py, inputs: {{i: runtime/one/x}}, outputs: [x]}}
"""


def test_operators_of_one_node_that_feed_one_another_are_no_loop(check: Check) -> None:
    assert check(OPERATORS.format(first=f"t: {TIMER}")).told == []


def test_a_loop_between_operators_is_drawn_with_their_names(check: Check) -> None:
    checked = check(OPERATORS.format(first="i: runtime/two/x"))
    assert "as in runtime/one -> runtime/two -> runtime/one" in checked.told[0]
    assert checked.only("DF404").related[0].text == "`runtime/two` reads `runtime/one/x` here"


def test_an_operator_that_reads_itself_is_told(check: Check) -> None:
    checked = check(OPERATORS.format(first=f"t: {TIMER}, i: runtime/one/x"))
    assert [line.split(" ", 3)[3] for line in checked.told] == ["`runtime/one` reads its own output `runtime/one/x`"]


def test_the_outputs_of_a_sole_operator_are_shown_as_they_are_written(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: a, operator: {python: a.py, inputs: {i: b/x}, outputs: [x]}}\n"
        "  - {id: b, path: b.py, inputs: {i: a/x}, outputs: [x]}\n"
    )
    finding = checked.only("DF404")
    assert finding.message.endswith("as in a -> b -> a")
    assert [finding.label, finding.related[0].text] == ["`a` reads `b/x` here", "`b` reads `a/x` here"]


@pytest.mark.parametrize("pattern", ["service-client", "action-client"])
def test_a_client_starts_the_loop_with_its_server(check: Check, pattern: str) -> None:
    assert check(PATTERNS.format(first=pattern, second="service-server")).told == []


PATTERNS = """\
nodes:
  - {{id: a, path: a.py, pattern: {first}, inputs: {{i: b/x}}, outputs: [x]}}
  - {{id: b, path: b.py, pattern: {second}, inputs: {{i: a/x}}, outputs: [x]}}
"""


def test_a_loop_of_servers_that_nobody_asks_cannot_start(check: Check) -> None:
    checked = check(PATTERNS.format(first="service-server", second="action-server"))
    assert checked.told == [
        (
            "warning DF406 2:62 the loop a -> b -> a cannot start: each of its nodes is a server, which answers and "
            "never speaks first"
        )
    ]
    finding = checked.only("DF406")
    assert [finding.label, finding.related[0].text] == ["`a` reads `b/x` here", "`b` reads `a/x` here"]
    assert finding.help == ("if `a` is the one that asks, write `pattern: service-client` or `action-client` there")


def test_what_somebody_starts_by_hand_starts_its_loop(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: a, path: dynamic, inputs: {i: b/x}, outputs: [x]}\n"
        "  - {id: b, path: b.py, inputs: {i: a/x}, outputs: [x]}\n"
    )
    assert [line for line in checked.told if "DF4" in line] == []


BRIDGE = """\
nodes:
  - id: add
    ros2: {{service: /add, service_type: example_interfaces/AddTwoInts, role: {role}}}
    inputs: {{{port}: worker/x}}
    outputs: [{other}]
  - {{id: worker, path: w.py, inputs: {{i: add/{other}}}, outputs: [x]}}
"""


@pytest.mark.parametrize(
    ("role", "port", "other", "found"),
    [("server", "response", "request", []), ("client", "request", "response", ["DF404"])],
)
def test_ros_starts_the_loop_of_a_bridge_that_serves_it(
    check: Check, role: str, port: str, other: str, found: list[str]
) -> None:
    checked = check(BRIDGE.format(role=role, port=port, other=other))
    assert [line.split()[1] for line in checked.told if "DF4" in line] == found


def test_many_nodes_that_read_themselves_cost_no_more_than_their_edges() -> None:
    names = [f"n{number}" for number in range(10_000)]
    graph, sink = graph_of(names, [(name, name) for name in names]), Sink()
    started = time.process_time()
    check_cycles(graph, sink)
    assert time.process_time() - started < 1
    assert len(sink.found) + sum(sink.left_out.values()) == len(names)
