"""Failures that follow from others: along the links, in time, and never in a circle."""

from __future__ import annotations

import pytest
from doraflow_runtime.launcher.consequences import told
from doraflow_runtime.launcher.findings import Finding


@pytest.mark.parametrize(
    ("failed", "producers", "expected"),
    [
        ({"a": 1.0}, {}, [("a", "")]),
        ({"a": 1.0, "b": 2.0, "c": 3.0}, {"b": ["a"], "c": ["b"]}, [("a", ""), ("b", "a"), ("c", "a")]),
        ({"c": 1.0, "b": 1.1, "a": 1.2}, {"b": ["a"], "c": ["b"]}, [("a", ""), ("c", "a"), ("b", "a")]),
        ({"b": 1.0, "a": 5.0}, {"b": ["a"]}, [("b", ""), ("a", "")]),
        ({"a": 1.0, "b": 1.0}, {"a": ["b"], "b": ["a"]}, [("a", ""), ("b", "")]),
        ({"a": 1.0}, {"a": ["a", "well"]}, [("a", "")]),
        ({"x": 1.0, "a": 2.0, "b": 2.0}, {"a": ["b", "x"], "b": ["a"]}, [("x", ""), ("a", "x"), ("b", "x")]),
    ],
)
def test_a_failure_is_traced_to_the_node_with_which_it_began(
    failed: dict[str, float], producers: dict[str, list[str]], expected: list[tuple[str, str]]
) -> None:
    findings = [Finding("DF802", "failed", node) for node in failed]
    found = told(findings, failed, lambda node: producers.get(node, []))
    assert [(finding.node, finding.cause) for finding in found] == expected


def test_a_consequence_says_that_it_may_be_one() -> None:
    findings = [Finding("DF802", "failed", "b", notes=("last words",)), Finding("DF802", "failed", "a")]
    _, second = told(findings, {"b": 1.0, "a": 1.0}, lambda node: ["a"] if node == "b" else [])
    assert second.notes == (
        "last words",
        "(what feeds it had failed, beginning with `a`: this may follow from that)",
    )


def test_a_long_chain_is_traced_at_once() -> None:
    nodes = [str(number) for number in range(20_000)]
    failed = {node: float(number) for number, node in enumerate(nodes)}
    before = dict(zip(nodes[1:], nodes, strict=False))
    found = told([Finding("DF802", "failed", node) for node in nodes], failed, lambda node: [before.get(node, "")])
    assert [finding.cause for finding in found] == ["", *["0"] * 19_999]
