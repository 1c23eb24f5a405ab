from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow.analysis.reach import check_reach
from doraflow.diagnostics import Sink
from tests.unit.analysis.flows import TIMER, flow
from tests.unit.analysis.graphs import graph_of

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


def test_what_stands_behind_a_loop_that_nothing_starts_is_one_note(check: Check) -> None:
    checked = check(flow("source", "view < c.x", "a < c.x", "c < a.x", "far < view.x", "log < far.x source.x"))
    finding = checked.only("DF208")
    assert (str(finding.severity), str(finding.span), finding.message) == (
        "note",
        "flow.yml:5:9",
        "`view` receives nothing as long as nothing starts the loop a -> c -> a: all that it reads comes from there",
    )
    assert finding.notes == ("the same holds for `far`",)
    assert [(str(label.span), label.text) for label in finding.related] == [("flow.yml:14:11", "the loop closes here")]


def test_a_loop_behind_an_idle_loop_receives_nothing_either(check: Check) -> None:
    checked = check(flow("source", "a < b.x", "b < a.x", "c < d.x a.x", "d < c.x"))
    assert checked.only("DF208").notes == ("the same holds for `d`",)
    assert [line.split()[1] for line in checked.told] == ["DF401"]


def test_what_reads_a_node_that_reads_only_itself_receives_nothing(check: Check) -> None:
    assert check(flow("source", "a < a.x", "view < a.x")).only("DF208").message == (
        "`view` receives nothing as long as `a`, which reads only itself, does not send: "
        "all that it reads comes from there"
    )


def test_what_several_loops_stop_is_told_with_the_first(check: Check) -> None:
    checked = check(flow("source", "a < b.x", "b < a.x", "c < d.x", "d < c.x", "view < a.x c.x", "end < d.x"))
    notes = [finding.message.split()[0] for finding in checked.findings if finding.code == "DF208"]
    assert notes == ["`view`", "`end`"]


def test_many_nodes_behind_a_loop_are_counted(check: Check) -> None:
    checked = check(flow("source", "a < b.x", "b < a.x", *[f"n{number} < a.x" for number in range(12)]))
    (note,) = checked.only("DF208").notes
    assert note.endswith("`n8` and 3 more")


def test_without_any_source_the_one_finding_says_it_all(check: Check) -> None:
    codes = [finding.code for finding in check(flow("a < b.x", "b < a.x", "view < b.x")).findings]
    assert "DF208" not in codes


def test_what_a_timer_reaches_by_any_way_is_fine(check: Check) -> None:
    codes = [finding.code for finding in check(flow(f"a < {TIMER} b.x", "b < a.x", "view < b.x")).findings]
    assert "DF208" not in codes


def test_ten_thousand_nodes_behind_a_loop_take_no_time() -> None:
    names = [f"n{number}" for number in range(10_000)]
    edges = [("n1", "n0"), ("n0", "n1"), *[(names[at - 1], names[at]) for at in range(2, 9_999)]]
    graph = graph_of(names, edges)
    sink = Sink()
    started = time.process_time()
    check_reach(graph, sink)
    assert time.process_time() - started < 1
    assert [finding.code for finding in sink.found] == ["DF208"]
