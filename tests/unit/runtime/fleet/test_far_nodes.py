"""Nodes of other hosts: what is new in a table, whatever tables were lost before it."""

from __future__ import annotations

import pytest
from doraflow_runtime.fleet import far_nodes
from doraflow_runtime.fleet.far_nodes import FarChange, FarNodes
from doraflow_runtime.fleet.messages import NodePhase, NodeRow


def changes(*tables: tuple[str, NodePhase, int], error: str = "") -> list[str]:
    """Take tables of one node, each with the life of its launcher, and give what each tells."""
    known = FarNodes({"camera": "gpu"})
    found = []
    for revision, (session, phase, life) in enumerate(tables, 1):
        rows = [NodeRow("camera", phase, life, error if phase == "ended" else "")]
        told = list(known.take("gpu", session, revision, rows))
        found.append(", ".join(f"{change.what} {change.error}".strip() for change in told))
    return found


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([("s", "there", 0), ("s", "there", 0)], ["", ""]),
        ([("s", "there", 0), ("s", "restarting", 0), ("s", "there", 1)], ["", "restarting", ""]),
        ([("s", "there", 0), ("s", "there", 1)], ["", "restarting"]),
        ([("s", "there", 0), ("s", "there", 3)], ["", "restarting"]),
        ([("s", "there", 2)], [""]),
        ([("s", "ended", 0)], ["ended"]),
        ([("s", "there", 0), ("s", "ended", 0), ("s", "ended", 0)], ["", "ended", ""]),
        ([("s", "there", 0), ("t", "there", 0)], ["", "restarting"]),
        ([("s", "ended", 0), ("t", "there", 0)], ["ended", "began_again"]),
        ([("s", "ended", 0), ("t", "ended", 0)], ["ended", ""]),
        ([("s", "absent", 0), ("s", "there", 0), ("s", "absent", 0), ("s", "there", 1)], ["", "", "", "restarting"]),
    ],
)
def test_each_change_is_told_once(tables: list[tuple[str, NodePhase, int]], expected: list[str]) -> None:
    assert changes(*tables) == expected


def test_nodes_of_a_launcher_that_went_before_it_told_of_them_are_started_again_by_the_next() -> None:
    known = FarNodes({"camera": "gpu"})
    known.greet("gpu", "s")
    known.greet("gpu", "t")
    assert list(known.take("gpu", "t", 1, [NodeRow("camera", "there")])) == [FarChange("gpu", "camera", "restarting")]


def test_restarts_before_the_first_word_are_no_news() -> None:
    known = FarNodes({"camera": "gpu"})
    known.greet("gpu", "s")
    assert list(known.take("gpu", "s", 1, [NodeRow("camera", "there", 3)])) == []
    assert list(known.take("gpu", "s", 2, [NodeRow("camera", "there", 4)])) == [
        FarChange("gpu", "camera", "restarting")
    ]


def test_a_node_that_nobody_has_started_again_yet_is_at_its_end_until_somebody_does() -> None:
    known = FarNodes({"camera": "gpu"})
    list(known.take("gpu", "s", 1, [NodeRow("camera", "ended")]))
    assert list(known.take("gpu", "t", 1, [NodeRow("camera", "absent")])) == []
    assert known.has_ended("camera")
    assert list(known.take("gpu", "t", 2, [NodeRow("camera", "there")])) == [FarChange("gpu", "camera", "began_again")]


def test_a_failure_comes_with_how() -> None:
    assert changes(("s", "ended", 0), error="failed with exit code 3") == ["ended failed with exit code 3"]


def test_an_old_table_is_not_heeded_and_a_new_life_counts_from_the_beginning() -> None:
    known = FarNodes({"camera": "gpu"})
    list(known.take("gpu", "s", 5, [NodeRow("camera", "there")]))
    assert known.seen("gpu", "s") == 5
    assert list(known.take("gpu", "s", 5, [NodeRow("camera", "ended")])) == []
    assert known.seen("gpu", "t") == 0
    assert list(known.take("gpu", "t", 1, [NodeRow("camera", "ended")])) == [FarChange("gpu", "camera", "ended")]


def test_a_host_speaks_for_its_own_nodes_and_for_those_that_nobody_here_is_linked_with() -> None:
    known = FarNodes({"camera": "gpu"})
    rows = [NodeRow("camera", "ended"), NodeRow("unknown", "ended", error="failed")]
    assert list(known.take("base", "s", 1, rows)) == [FarChange("base", "unknown", "ended", "failed")]
    assert not known.has_ended("camera")


def test_a_host_that_names_ever_new_nodes_is_not_heeded_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_nodes, "MOST_NODES", 10)
    known = FarNodes({"camera": "gpu"})
    told = [
        change.node
        for revision in range(1, 100)
        for change in known.take("gpu", "s", revision, [NodeRow(f"node-{revision}", "ended", error="failed")])
    ]
    assert told == [f"node-{revision}" for revision in range(1, 11)]
    rows = [NodeRow("node-1", "there"), NodeRow("camera", "ended")]
    assert [change.what for change in known.take("gpu", "s", 100, rows)] == ["began_again", "ended"]
    assert [change.node for change in known.take("base", "s", 1, [NodeRow("other", "ended")])] == ["other"]


def test_the_nodes_of_a_launcher_that_has_ended_have_ended() -> None:
    known = FarNodes({"camera": "gpu", "display": "base", "eye": "gpu"})
    list(known.take("gpu", "s", 1, [NodeRow("camera", "ended")]))
    assert list(known.end_all("gpu")) == [FarChange("gpu", "eye", "ended")]
    assert known.has_ended("camera")
    assert known.has_ended("eye")
    assert not known.has_ended("display")
