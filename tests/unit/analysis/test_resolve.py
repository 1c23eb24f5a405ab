from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

NODES = """\
nodes:
  - {{id: camera, path: c.py, outputs: [image, depth]}}
  - {{id: lidar, path: l.py, outputs: [points]}}
  - {{id: clock, path: k.py}}
  - id: runtime
    operators:
      - {{id: crop, python: a.py, inputs: {{x: camera/image}}, outputs: [image]}}
      - {{id: blur, python: b.py, inputs: {{x: camera/image}}, outputs: [image, mask]}}
  - {{id: viewer, path: v.py, inputs: {{x: {source}}}}}
"""


@pytest.mark.parametrize(
    ("source", "code", "message", "help_text", "related"),
    [
        (
            "camra/image",
            "DF203",
            "there is no node `camra`; the nodes are `camera`, `lidar`, `clock`, `runtime`, `viewer`",
            "to read from the closest node, write `camera/image`",
            [("flow.yml:2:10", "the closest node is here")],
        ),
        (
            "microphone/sound",
            "DF203",
            "there is no node `microphone`; the nodes are `camera`, `lidar`, `clock`, `runtime`, `viewer`",
            "add a node with the id `microphone`, or read from one of these",
            [],
        ),
        (
            "camera/dept",
            "DF204",
            "`camera` has no output `dept`",
            "to read the closest output, write `camera/depth`",
            [("flow.yml:2:10", "declares `depth`, `image`")],
        ),
        (
            "camera/sound",
            "DF204",
            "`camera` has no output `sound`",
            "add `sound` to the outputs of `camera`, or read one of its own",
            [("flow.yml:2:10", "declares `image`, `depth`")],
        ),
        (
            "clock/time",
            "DF204",
            "`clock` has no output `time`",
            "add `time` to the outputs of `clock`",
            [("flow.yml:4:10", "declares no outputs")],
        ),
        (
            "runtime/corp/image",
            "DF205",
            "`runtime` has no operator `corp`; its operators are `crop`, `blur`",
            "to read from the closest operator, write `runtime/crop/image`",
            [("flow.yml:5:9", "the node is here")],
        ),
        (
            "runtime/sharpen/image",
            "DF205",
            "`runtime` has no operator `sharpen`; its operators are `crop`, `blur`",
            "add an operator with the id `sharpen`, or read from one of these",
            [("flow.yml:5:9", "the node is here")],
        ),
        (
            "runtime/mask",
            "DF205",
            "`runtime/mask` names none of the operators of `runtime`, which are `crop`, `blur`",
            "write `runtime/blur/mask`",
            [("flow.yml:5:9", "the node is here")],
        ),
        (
            "runtime/crop/imge",
            "DF204",
            "`runtime` has no output `crop/imge`",
            "to read the closest output, write `runtime/crop/image`",
            [("flow.yml:5:9", "declares `crop/image`, `blur/image`, `blur/mask`")],
        ),
    ],
)
def test_a_reference_to_what_is_not_there_is_one_error_at_its_text(
    check: Check, source: str, code: str, message: str, help_text: str, related: list[tuple[str, str]]
) -> None:
    checked = check(NODES.format(source=source))
    assert checked.told == [f"error {code} 9:42 {message}"]
    finding = checked.only(code)
    assert (finding.label, finding.help) == ("read by `viewer`", help_text)
    assert [(str(label.span), label.text) for label in finding.related] == related


@pytest.mark.parametrize("source", ["camera/depth", "lidar/points", "runtime/blur/mask", "dora/logs/info/camera"])
def test_a_reference_to_what_is_there_is_no_error(check: Check, source: str) -> None:
    assert not [line for line in check(NODES.format(source=source)).told if line.startswith("error")]


def test_one_listed_operator_is_not_read_without_its_id(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: r, operators: [{id: crop, python: a.py, outputs: [x]}]}\n"
        "  - {id: v, path: v.py, inputs: {x: r/x}}\n"
    )
    assert checked.told == ["error DF205 3:37 `r/x` names none of the operators of `r`, which are `crop`"]
    assert checked.only("DF205").help == "write `r/crop/x`"


def test_every_wrong_reference_is_told_in_one_run(check: Check) -> None:
    checked = check(
        """\
nodes:
  - {id: a, path: a.py, outputs: [x], inputs: {p: b/none, q: nobody/x}}
  - {id: b, path: b.py, outputs: [y], inputs: {p: a/y, q: a/x}}
"""
    )
    assert [line.split()[1] for line in checked.told] == ["DF204", "DF203", "DF204"]
    assert len(checked.graph.edges) == 1


def test_a_log_subscription_to_an_unknown_node_is_a_warning(check: Check) -> None:
    checked = check(NODES.format(source="dora/logs/warn/camra"))
    finding = checked.only("DF203")
    assert (finding.severity, finding.message) == (
        "warning",
        (
            "there is no node `camra`, so `x` of `viewer` gets nothing; "
            "the nodes are `camera`, `lidar`, `clock`, `runtime`, `viewer`"
        ),
    )
    assert finding.help == "to read the log of the closest node, write `dora/logs/warn/camera`"


MODULE = """\
module: {{name: chain, inputs: [raw], outputs: [box]}}
nodes:
  - {{id: crop, path: crop.py, inputs: {{raw: _mod/raw}}, outputs: [image]}}
  - {{id: find, path: find.py, inputs: {{image: {source}}}, outputs: [box]}}
"""
AROUND = """\
nodes:
  - {{id: camera, path: c.py, outputs: [image]}}
  - {{id: left, module: chain.yml, inputs: {{raw: {source}}}}}
  - {{id: right, module: chain.yml, inputs: {{raw: camera/image}}}}
"""


def test_a_wrong_reference_inside_a_module_speaks_as_the_module_does_and_is_told_once(check: Check) -> None:
    checked = check(AROUND.format(source="camera/image"), {"chain.yml": MODULE.format(source="crop/imag")})
    finding = checked.only("DF204")
    assert (str(finding.span), finding.message) == ("chain.yml:4:47", "`left.crop` has no output `imag`")
    assert finding.help == "to read the closest output, write `crop/image`"


def test_the_choices_inside_a_module_are_its_own_nodes_first(check: Check) -> None:
    checked = check(AROUND.format(source="camera/image"), {"chain.yml": MODULE.format(source="corp/image")})
    finding = checked.only("DF203")
    assert finding.message == (
        "there is no node `corp`; the nodes are `crop`, `find`, `camera`, `right.crop`, `right.find`"
    )
    assert finding.help == "to read from the closest node, write `crop/image`"


def test_a_wrong_reference_through_a_module_port_stands_where_it_is_mended(check: Check) -> None:
    checked = check(AROUND.format(source="camera/imag"), {"chain.yml": MODULE.format(source="crop/image")})
    finding = checked.only("DF204")
    assert (str(finding.span), finding.message) == ("flow.yml:3:49", "`camera` has no output `imag`")
    assert finding.help == "to read the closest output, write `camera/image`"
