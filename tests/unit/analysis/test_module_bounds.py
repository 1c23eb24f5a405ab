"""Nodes inside a module that read a node outside of it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

FLOW = """nodes:
  - {id: camera, path: a.py, inputs: {t: dora/timer/hz/1}, outputs: [image]}
  - {id: chain, module: chain.yml, inputs: {raw: camera/image}}
  - {id: viewer, path: a.py, inputs: {x: chain/clean}}
"""
READS_PAST = "id: a, path: a.py, inputs: {x: camera/image, y: _mod/raw}, outputs: [clean]"
INNER = """module: {name: i, inputs: [raw], outputs: [y]}
nodes:
  - {id: a, path: a.py, inputs: {x: _mod/raw}, outputs: [y]}
"""
PAST = "past the inputs of its module, so the module can stand in no dataflow without a node"


def module(*nodes: str) -> str:
    lines = "".join(f"  - {{{node}}}\n" for node in nodes)
    return f"module: {{name: chain, inputs: [raw], outputs: [clean]}}\nnodes:\n{lines}"


def test_a_reference_past_the_inputs_is_told_and_read(check: Check) -> None:
    made = check(FLOW, {"chain.yml": module(READS_PAST)})
    assert made.told == [f"warning DF146 3:37 `chain.a` reads `camera/image` {PAST} `camera`"]
    assert made.only("DF146").help == (
        "write `_mod/x` here, add `x` to the `inputs` of the module, and connect it at `chain` with `x: camera/image`"
    )
    assert [(edge.producer, edge.consumer) for edge in made.graph.edges][:2] == [("camera", "chain.a")] * 2


def test_a_module_that_stands_twice_tells_it_once(check: Check) -> None:
    flow = FLOW + "  - {id: again, module: chain.yml, inputs: {raw: camera/image}}\n"
    made = check(flow, {"chain.yml": module(READS_PAST)})
    assert [finding.code for finding in made.findings if finding.severity != "note"] == ["DF146"]


@pytest.mark.parametrize(
    "nodes",
    [
        ["id: a, path: a.py, inputs: {x: _mod/raw}, outputs: [clean]"],
        [
            "id: a, path: a.py, inputs: {x: _mod/raw}, outputs: [y]",
            "id: b, path: a.py, inputs: {x: a/y}, outputs: [clean]",
        ],
        ["id: i, module: inner.yml, inputs: {raw: _mod/raw}", "id: b, path: a.py, inputs: {x: i/y}, outputs: [clean]"],
    ],
)
def test_references_through_inputs_and_inside_are_let_through(nodes: list[str], check: Check) -> None:
    assert check(FLOW, {"chain.yml": module(*nodes), "inner.yml": INNER}).told == []
