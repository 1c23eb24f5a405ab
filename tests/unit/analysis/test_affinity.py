from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.affinity import check_affinity
from doraflow.diagnostics import Sink
from tests.unit.analysis.graphs import graph_of

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check, Checked


def flow(*cores: str) -> str:
    """Write nodes n1, n2, … bound to the given cores; `2@robot` is core 2 of another machine."""
    lines = ["nodes:"]
    for number, text in enumerate(cores, 1):
        listed, _, machine = text.partition("@")
        place = f", deploy: {{machine: {machine}}}" if machine else ""
        lines.append(f"  - {{id: n{number}, path: n.py, cpu_affinity: [{listed}]{place}}}")
    return "\n".join(lines) + "\n"


def told(checked: Checked) -> list[str]:
    return [
        f"{finding.severity} {finding.code} {finding.span} {finding.message}"
        for finding in checked.findings
        if finding.code in ("DF504", "DF506")
    ]


def test_two_nodes_on_one_core_are_told_with_both_places(check: Check) -> None:
    checked = check(flow("2", "3", "2"))
    assert told(checked) == [
        (
            "warning DF504 flow.yml:4:40 `n3` is bound to core 2 of `local`, and so is `n1`: while one runs, the other "
            "waits, whatever the other cores do"
        )
    ]
    finding = checked.only("DF504")
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:2:40", "`n1` is bound to core 2 here")
    ]
    assert finding.help == "give one of them another core"


@pytest.mark.parametrize(
    "cores",
    [
        ("0, 1", "0, 1"),
        ("0", "0", "0"),
        ("2", "2@robot"),
        ("0, 1, 2, 3", "1, 2"),
        ("0, 1", "2, 3"),
        ("1, 2", "2, 1"),
    ],
)
def test_cores_shared_on_purpose_are_fine(check: Check, cores: tuple[str, ...]) -> None:
    assert told(check(flow(*cores))) == []


@pytest.mark.parametrize("cores", [("0, 1", "1, 2"), ("2", "2, 3"), ("2, 3", "3")])
def test_lists_that_only_overlap_are_a_note(check: Check, cores: tuple[str, ...]) -> None:
    (line,) = told(check(flow(*cores)))
    assert line.startswith("note DF504 flow.yml:3:40 `n2` may run on core ")
    assert line.endswith("of `local`, and so may `n1`, while their other cores differ")


def test_an_empty_list_binds_to_nothing(check: Check) -> None:
    assert told(check(flow("", "1"))) == [
        (
            "warning DF506 flow.yml:2:40 an empty `cpu_affinity` binds `n1` to no core, so it may run on all, as "
            "without it"
        )
    ]


def test_ten_thousand_lists_take_no_time() -> None:
    graph = graph_of([f"n{number}" for number in range(10_000)], [])
    nodes = tuple(replace(node, cpu_affinity=(number, number + 1)) for number, node in enumerate(graph.nodes))
    sink = Sink()
    started = time.process_time()
    check_affinity(replace(graph, nodes=nodes), sink)
    assert time.process_time() - started < 1
    assert len(sink.found) + sum(sink.left_out.values()) == 9_999
