"""Communication patterns: the metadata that they imply, and the ports that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

TICK = "inputs: {i: dora/timer/secs/1}"


@pytest.mark.parametrize(
    ("pattern", "implied"),
    [
        ("service-server", ("request_id",)),
        ("service-client", ("request_id",)),
        ("action-server", ("goal_id", "goal_status")),
        ("action-client", ("goal_id",)),
    ],
)
def test_a_pattern_adds_its_metadata_to_what_is_written(check: Check, pattern: str, implied: tuple[str, ...]) -> None:
    written = f"path: a.py, pattern: {pattern}, {TICK}, outputs: [x, y], output_metadata: {{x: [stamp, {implied[0]}]}}"
    checked = check(f"nodes:\n  - {{id: a, {written}}}\n")
    assert checked.told == []
    assert [output.metadata_keys for output in checked.graph.nodes[0].outputs] == [("stamp", *implied), implied]


def test_an_operator_has_a_pattern_of_its_own(check: Check) -> None:
    operator = f"{{python: a.py, pattern: action-client, {TICK}, outputs: [x]}}"
    checked = check(f"nodes:\n  - {{id: a, operator: {operator}}}\n")
    assert checked.told == []
    assert checked.graph.nodes[0].outputs[0].metadata_keys == ("goal_id",)


@pytest.mark.parametrize(
    ("ports", "lacking"),
    [(TICK, "no output"), ("outputs: [x]", "no input"), ("env: {A: b}", "no input and no output")],
)
def test_a_node_without_both_ways_cannot_follow_a_pattern(check: Check, ports: str, lacking: str) -> None:
    checked = check(f"nodes:\n  - {{id: a, path: a.py, pattern: service-server, {ports}}}\n")
    message = f"`a` follows the pattern `service-server` and has {lacking}: requests and answers go both ways"
    assert [line for line in checked.told if "DF307" in line] == [f"warning DF307 2:34 {message}"]
