from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


def flow(*nodes: str) -> str:
    """Write nodes given as `a < b.x c.y`: a reads output x of b and y of c; every node has the outputs x and y."""
    lines = ["nodes:"]
    for text in nodes:
        name, _, sources = text.partition(" < ")
        lines += [f"  - id: {name}", f"    path: {name}.py", "    outputs: [x, y]"]
        if sources:
            lines += ["    inputs:"]
            lines += [f"      {_entry(number, source)}" for number, source in enumerate(sources.split())]
    return "\n".join(lines) + "\n"


def _entry(number: int, source: str) -> str:
    blocks, text = source.startswith("!"), source.removeprefix("!").replace(".", "/")
    return f"i{number}: {{source: {text}, queue_policy: backpressure}}" if blocks else f"i{number}: {text}"


TIMER = "dora/timer/hz/1"


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


def test_a_loop_of_blocking_queues_is_a_warning_with_every_edge(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} !b.x", "b < !a.x"))
    assert checked.told == [
        (
            "warning DF402 7:20 every queue of the loop a -> b -> a holds its sender back; once all are full, "
            "no node can go on"
        )
    ]
    finding = checked.only("DF402")
    assert (finding.label, finding.help) == (
        "`a` holds `b` back here",
        "write `queue_policy: drop_oldest` at one of these inputs",
    )
    assert [label.text for label in finding.related] == ["`b` holds `a` back here"]


def test_a_loop_of_blocking_queues_is_an_error_when_strict(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} !b.x", "b < !a.x"), strict=True)
    assert checked.only("DF402").severity == "error"


@pytest.mark.parametrize(
    "nodes", [(f"a < {TIMER} !b.x", "b < a.x"), (f"a < {TIMER} !b.x b.y", "b < !c.x", "c < a.x"), ("a", "b < !a.x")]
)
def test_one_queue_that_drops_keeps_a_loop_going(check: Check, nodes: tuple[str, ...]) -> None:
    assert check(flow(*nodes)).told == []


def test_a_blocking_loop_inside_a_wider_one_is_found(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} c.x", "b < a.x !c.x", "c < !b.x"))
    assert "the loop b -> c -> b holds" in checked.told[0]
    assert len(checked.told) == 1


def test_a_blocking_self_read_is_told_once(check: Check) -> None:
    checked = check(flow(f"a < {TIMER} !a.x"))
    assert checked.told == [
        (
            "warning DF402 7:20 `a` reads its own output `a/x` from a queue that holds the sender back; "
            "once it is full, the node waits for itself"
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


def test_blocking_queues_stick_between_nodes_whatever_their_operators(check: Check) -> None:
    blocking = "{source: other/x, queue_policy: backpressure}"
    checked = check(
        OPERATORS.format(first=f"t: {TIMER}, i: {blocking}")
        + "  - id: other\n    path: o.py\n    outputs: [x]\n"
        + "    inputs: {i: {source: runtime/two/x, queue_policy: backpressure}}\n"
    )
    assert "the loop runtime -> other -> runtime holds" in checked.told[0]


def test_the_outputs_of_a_sole_operator_are_shown_as_they_are_written(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: a, operator: {python: a.py, inputs: {i: b/x}, outputs: [x]}}\n"
        "  - {id: b, path: b.py, inputs: {i: a/x}, outputs: [x]}\n"
    )
    finding = checked.only("DF404")
    assert finding.message.endswith("as in a -> b -> a")
    assert [finding.label, finding.related[0].text] == ["`a` reads `b/x` here", "`b` reads `a/x` here"]
