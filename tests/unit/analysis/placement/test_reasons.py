"""Why a node is where it is, in words that are true of the placement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.placement.decide import decide
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from pathlib import Path

TIGHT = """\
hosts:
  one: {cores: 4}
  two: {cores: 4}
nodes:
  - {id: a, path: a.py, outputs: [o], inputs: {t: dora/timer/hz/30}, deploy: {cores: 3}}
  - {id: b, path: b.py, inputs: {o: a/o}, deploy: {cores: 2}}
  - {id: c, path: c.py, inputs: {t: dora/timer/hz/1}, deploy: {cores: 1}}
"""
LABELLED = """\
hosts:
  one: {labels: {gpu: "yes"}}
  two: {labels: {arm: "yes"}}
  three: {labels: {arm: "yes"}}
nodes:
  - {id: a, path: a.py, outputs: [o], inputs: {t: dora/timer/hz/30}, deploy: {labels: {gpu: "yes"}}}
  - {id: b, path: b.py, inputs: {o: a/o}, deploy: {labels: {arm: "yes"}}}
"""
TOGETHER = """\
hosts:
  one: {}
  two: {}
nodes:
  - {id: a, path: a.py, outputs: [o], inputs: {t: dora/timer/hz/30}}
  - {id: b, path: b.py, inputs: {o: a/o}}
"""


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (
            TIGHT,
            {
                "a": "`two`, where `b` is, has no room left",
                "b": "`one`, where `a` is, has no room left",
                "c": "no traffic with other nodes: any machine with room will do",
            },
        ),
        (LABELLED, {"a": "no other machine has `gpu: yes`", "b": "`one`, where `a` is, cannot take it"}),
        (
            TOGETHER,
            {
                "a": "beside `b`: 32.6 kB/s stays on one machine",
                "b": "beside `a`: 32.6 kB/s stays on one machine",
            },
        ),
    ],
)
def test_a_reason_names_what_decided(text: str, reasons: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(text)
    made = check(tmp_path / "flow.yml", Options(check_sources=False))
    assert made.graph is not None
    assert {each.node: each.reason for each in decide(made.graph).placed} == reasons
