"""The ports and parameters of modules, judged in the module file and where it is included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.parser.modules import flow_with, told

if TYPE_CHECKING:
    from tests.unit.parser.modules import Project


TWO_PRODUCERS = """\
module: {name: filter, outputs: [o]}
nodes:
  - {id: a, path: x, outputs: [o]}
  - {id: b, operators: [{id: p, python: x, outputs: [o]}]}
"""
PASSED_ON = "so the reference to it is passed on as it stands"
LOST = "one of the two would be lost"

PORTS = {
    "a required port is open": (
        flow_with("m.yml", "    inputs:\n      other: a/b\n"),
        "module: {name: filter, inputs: [raw], inputs_optional: [other]}\nnodes: []\n",
        ["DF121 dataflow.yml:4:5 the module `filter` needs the input `raw`, and `m` does not connect it <- m.yml:1:24"],
    ),
    "a port does not exist": (
        flow_with("m.yml", "    inputs:\n      other: a/b\n"),
        "module: {name: filter}\nnodes: []\n",
        ["DF121 dataflow.yml:5:7 the module `filter` has no input `other`: its inputs are none <- m.yml:1:9"],
    ),
    "a misspelt port is told once": (
        flow_with("m.yml", "    inputs:\n      rwa: a/b\n"),
        "module: {name: filter, inputs: [raw]}\nnodes: []\n",
        ["DF121 dataflow.yml:5:7 the module `filter` has no input `rwa`: its inputs are `raw` <- m.yml:1:24"],
    ),
    "a reference inside names no port": (
        flow_with("m.yml"),
        "module: {name: filter, inputs_optional: [raw]}\nnodes:\n  - {id: a, path: x, inputs: {i: _mod/rwa}}\n",
        ["DF121 m.yml:3:34 `_mod/rwa` names no input of the module `filter`: its inputs are `raw`"],
    ),
    "an output has no producer": (
        flow_with("m.yml"),
        "module:\n  name: filter\n  outputs:\n    - out\nnodes:\n  - {id: a, path: x, outputs: [o]}\n",
        ["DF121 m.yml:4:7 no node inside the module `filter` produces its output `out`"],
    ),
    "an output has two producers": (
        flow_with("m.yml"),
        TWO_PRODUCERS,
        ["DF121 m.yml:1:34 several nodes inside the module `filter` produce its output `o`: `m.a/o`, `m.b/p/o`"],
    ),
    "a reader names no output": (
        flow_with("m.yml", "  - {id: sink, path: x, inputs: {i: m/celan}}\n"),
        "module: {name: filter, outputs: [clean]}\nnodes:\n  - {id: a, path: x, outputs: [clean]}\n",
        ["DF121 dataflow.yml:4:37 the module `m` has no output `celan`: its outputs are `clean`"],
    ),
    "an output that was reported is not reported at its readers": (
        flow_with("m.yml", "  - {id: sink, path: x, inputs: {i: m/out}}\n"),
        "module: {name: filter, outputs: [out]}\nnodes: []\n",
        ["DF121 m.yml:1:34 no node inside the module `filter` produces its output `out`"],
    ),
    "a port is both required and optional": (
        flow_with("m.yml", "    inputs: {raw: a/b}\n"),
        "module: {name: filter, inputs: [raw], inputs_optional: [raw]}\nnodes: []\n",
        ["DF120 m.yml:1:57 the port `raw` stands twice in the header of the module `filter`"],
    ),
    "a parameter is missing": (
        flow_with("m.yml"),
        "module: {name: filter}\nnodes:\n  - {id: a, path: x, args: -s $PARAM_SPEED}\n",
        [f"DF122 m.yml:3:28 `m` gives no parameter `speed`, {PASSED_ON} <- dataflow.yml:3:13"],
    ),
    "parameters collide and are malformed": (
        flow_with("m.yml", "    params: {mode: a, Mode: b, a-b: c}\n"),
        "module: {name: filter}\nnodes: []\n",
        [
            f"DF122 dataflow.yml:4:23 `Mode` and another parameter are both `$PARAM_MODE`; {LOST} <- dataflow.yml:4:14",
            "DF122 dataflow.yml:4:32 `a-b` cannot be the name of a parameter: only letters, digits and `_` are allowed",
        ],
    ),
}


@pytest.mark.parametrize(("flow", "module", "expected"), PORTS.values(), ids=list(PORTS))
def test_ports_and_parameters_are_judged_in_both_files(
    project: Project, flow: str, module: str, expected: list[str]
) -> None:
    document, found = project({"dataflow.yml": flow, "m.yml": module})
    assert told(found) == expected
    assert document is not None


def test_keys_without_effect_beside_a_module_are_refused(project: Project) -> None:
    module = "module: {name: filter}\nnodes: []\n"
    flow = flow_with("m.yml", "    args: -x\n    outputs: [y]\n    build: make\n    env: {A: b}\n")
    _, found = project({"dataflow.yml": flow, "m.yml": module})
    assert told(found) == [
        "DF109 dataflow.yml:4:5 `args` has no effect beside `module` <- dataflow.yml:3:5",
        "DF109 dataflow.yml:5:5 `outputs` has no effect beside `module` <- dataflow.yml:3:5",
    ]
