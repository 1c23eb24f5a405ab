from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.analysis.flows import TIMER, flow

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


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
        "`a` holds `b` back here, with 10 messages waiting",
        "write `queue_policy: drop_oldest` at one of these inputs",
    )
    assert [label.text for label in finding.related] == ["`b` holds `a` back here, with 10 messages waiting"]


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


OPERATORS = """\
nodes:
  - id: runtime
    operators:
      - {{id: one, python: a.py, inputs: {{{first}}}, outputs: [x]}}
      - {{id: two, python: b.py, inputs: {{i: runtime/one/x}}, outputs: [x]}}
"""


def test_blocking_queues_stick_between_nodes_whatever_their_operators(check: Check) -> None:
    blocking = "{source: other/x, queue_policy: backpressure}"
    checked = check(
        OPERATORS.format(first=f"t: {TIMER}, i: {blocking}")
        + "  - id: other\n    path: o.py\n    outputs: [x]\n"
        + "    inputs: {i: {source: runtime/two/x, queue_policy: backpressure}}\n"
    )
    assert "the loop runtime -> other -> runtime holds" in checked.told[0]


SIZES = """\
nodes:
  - {id: a, path: a.py, inputs: {back: {source: b/x, queue_size: 1, queue_policy: backpressure}}, outputs: [x]}
  - id: b
    path: b.py
    inputs: {tick: dora/timer/hz/1, in: {source: a/x, queue_size: 20, queue_policy: backpressure}}
    outputs: [x]
"""


def test_the_loop_is_drawn_with_what_each_edge_may_hold(check: Check) -> None:
    finding = check(SIZES).only("DF402")
    assert finding.notes == (
        "a --(in: 20, backpressure)--> b --(back: 1, backpressure)--> a",
        "the loop has room for 21 messages: with so many under way, each node that sends waits for good",
    )
    assert [finding.label, finding.related[0].text] == [
        "`a` holds `b` back here, with 1 message waiting",
        "`b` holds `a` back here, with 20 messages waiting",
    ]


def test_a_long_loop_is_drawn_in_part(check: Check) -> None:
    names = [f"n{number}" for number in range(12)]
    nodes = [f"{name} < !{before}.x" for before, name in zip([names[-1], *names], names, strict=False)]
    picture, room = check(flow(*nodes)).only("DF402").notes
    assert picture.endswith("n7 --(i0: 10, backpressure)--> … 4 more … n0")
    assert "room for 120 messages" in room
