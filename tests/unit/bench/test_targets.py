"""The targets: which figures of a run reach them, and how that is told."""

from __future__ import annotations

import pytest

from bench.kinds.case import Case, Figure
from bench.results import Results
from bench.targets import TARGETS, Judged, Target, judge

DORA = Target("one way", "latency", "p50", 1 / 4, ("dora",))
FLOOD = Target("flood", "throughput", "rate", 0.8, ("zenoh", "zmq"), is_floor=True, most=4095)
MANY = Target("100 nodes", "many", "ready", 2, nodes=100)


def results(*rows: tuple[str, Case, str, str, float]) -> Results:
    made = Results(versions=dict.fromkeys(("doraflow", "dora", "zenoh", "zmq"), "1"))
    for peer, case, way, metric, value in rows:
        made.add(peer, case, [Figure(way, metric, "unit", value)])
    return made


def judged(made: Results, target: Target) -> Judged:
    (found,) = judge(made, (target,))
    return found


def test_a_ratio_at_the_bound_reaches_the_target_and_one_above_does_not() -> None:
    small, large = Case("latency", 8), Case("latency", 4096)
    made = results(
        *(("doraflow", small, "copied", "p50", 25.0), ("dora", small, "copied", "p50", 100.0)),
        *(("doraflow", large, "loaned", "p50", 26.0), ("dora", large, "loaned", "p50", 100.0)),
    )
    found = judged(made, DORA)
    assert found.ratios == ((0.26, "4 KB loaned"), (0.25, "8 B copied"))
    assert found.cells() == ("one way", "p50", "≤ 0.25x", "1 of 2", "0.26 (4 KB loaned)", "4 KB loaned 0.26")


def test_a_flood_is_compared_with_the_best_of_several_at_the_sizes_of_the_target_alone() -> None:
    small, large = Case("throughput", 512), Case("throughput", 4096)
    made = results(
        *(("doraflow", small, "copied", "rate", 90.0), ("zenoh", small, "copied", "rate", 50.0)),
        *(("zmq", small, "copied", "rate", 100.0), ("doraflow", large, "copied", "rate", 1.0)),
        ("zmq", large, "copied", "rate", 100.0),
    )
    assert judged(made, FLOOD).cells() == ("flood", "rate", "≥ 0.8x", "yes", "0.9 (512 B copied zmq)", "")


@pytest.mark.parametrize(("seconds", "reached"), [(2.0, "yes"), (2.1, "no")])
def test_a_target_without_a_peer_bounds_the_figure_itself(seconds: float, reached: str) -> None:
    made = results(
        ("doraflow", Case("many", nodes=100), "", "ready", seconds),
        ("doraflow", Case("many", nodes=20), "", "ready", 9.0),
    )
    assert judged(made, MANY).cells()[2:5] == ("≤ 2", reached, f"{seconds:.2g}")


def test_a_peer_without_a_figure_is_not_compared_with() -> None:
    made = results(("doraflow", Case("latency", 8), "copied", "p50", 25.0))
    assert judged(made, DORA).cells() == ("one way", "p50", "≤ 0.25x", "not measured", "", "")


def test_the_worst_ratio_of_a_flood_is_the_lowest() -> None:
    one, two = Case("throughput", 8), Case("throughput", 512)
    rates = ((one, "doraflow", 10.0), (one, "zmq", 100.0), (two, "doraflow", 70.0), (two, "zmq", 100.0))
    made = results(*((peer, case, "copied", "rate", rate) for case, peer, rate in rates))
    assert [ratio for ratio, _ in judged(made, FLOOD).ratios] == [0.1, 0.7]
    assert judged(made, FLOOD).cells()[3] == "no"


def test_every_target_of_the_project_names_a_kind_and_peers_that_there_are() -> None:
    from bench.kinds.all import KINDS
    from bench.peers.all import peers

    assert {target.kind for target in TARGETS} <= set(KINDS)
    assert {peer for target in TARGETS for peer in target.peers} <= set(peers())
