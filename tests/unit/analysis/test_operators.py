from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.ir import serialize

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

SOLE = """\
nodes:
  - {{id: camera, path: camera.py, outputs: [image]}}
  - id: detector
    operator:
      {id}python: detect.py
      inputs: {{image: camera/image}}
      outputs: [bbox]
  - id: viewer
    path: viewer.py
    inputs: {{bbox: {source}}}
"""


@pytest.mark.parametrize(
    ("given", "source", "output"),
    [
        ("", "detector/bbox", "op/bbox"),
        ("", "detector/op/bbox", "op/bbox"),
        ("id: yolo\n      ", "detector/bbox", "yolo/bbox"),
        ("id: yolo\n      ", "detector/yolo/bbox", "yolo/bbox"),
    ],
)
def test_the_outputs_of_a_sole_operator_are_read_with_or_without_its_id(
    check: Check, given: str, source: str, output: str
) -> None:
    checked = check(SOLE.format(id=given, source=source))
    assert checked.told == []
    assert str(checked.graph.node("viewer").inputs[0].source) == f"detector/{output}"
    assert serialize(checked.graph).splitlines()[-1] == f"edge detector/{output} -> viewer/bbox"


def test_op_is_no_name_of_a_sole_operator_that_has_one(check: Check) -> None:
    checked = check(SOLE.format(id="id: yolo\n      ", source="detector/op/bbox"))
    assert checked.told == ["error DF204 11:20 `detector` has no output `op/bbox`"]


def test_the_ports_of_operators_become_the_nodes(check: Check) -> None:
    graph = check(
        """\
nodes:
  - id: runtime
    operators:
      - id: crop
        python: {source: crop.py, conda_env: vision}
        inputs: {tick: dora/timer/hz/1}
        outputs: [image]
        max_log_size: 1KB
      - id: count
        shared-library: count
        inputs: {image: runtime/crop/image}
        outputs: [number]
      - {id: last, wasm: last.wasm, inputs: {number: runtime/count/number}}
"""
    ).graph
    assert serialize(graph).splitlines()[1:] == [
        "node runtime operators @local",
        "  in crop/tick <- dora/timer/hz/1 drop_oldest:10",
        "  in count/image <- runtime/crop/image drop_oldest:10",
        "  in last/number <- runtime/count/number drop_oldest:10",
        "  out crop/image",
        "  out count/number",
        "edge runtime/crop/image -> runtime/count/image",
        "edge runtime/count/number -> runtime/last/number",
    ]
    crop, count, last = graph.nodes[0].operators
    assert [(operator.language, operator.path, operator.sole) for operator in (crop, count, last)] == [
        ("python", "crop.py", False),
        ("shared-library", "count", False),
        ("wasm", "last.wasm", False),
    ]
    assert (crop.conda_env, crop.settings, str(crop.setting_spans["max_log_size"])) == (
        "vision",
        {"max_log_size": 1024},
        "flow.yml:8:9",
    )
    assert [str(operator.path_span) for operator in (crop, count)] == ["flow.yml:5:26", "flow.yml:10:25"]


def test_two_operators_of_one_id_are_an_error(check: Check) -> None:
    checked = check(
        """\
nodes:
  - id: runtime
    operators:
      - {id: crop, python: a.py, outputs: [image]}
      - {id: crop, python: b.py, outputs: [image]}
"""
    )
    assert checked.told == [
        "error DF201 5:14 two operators of `runtime` have the id `crop`; inputs could not tell them apart"
    ]
