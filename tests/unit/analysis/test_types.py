from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import Scalar, Struct

if TYPE_CHECKING:
    from doraflow_runtime.contract import DataType

    from doraflow.ir import Graph
    from tests.unit.analysis.conftest import Check

FLOW = """\
nodes:
  - id: camera
    path: c.py
    outputs: [image]
    output_types: {{{sent}}}
  - id: viewer
    path: v.py
    inputs: {{picture: camera/image}}
    input_types: {{{expected}}}
"""


def flow(sent: str, expected: str, head: str = "") -> str:
    return head + FLOW.format(sent=sent and f"image: {sent}", expected=expected and f"picture: {expected}")


def ends(graph: Graph) -> tuple[DataType | None, DataType | None]:
    return graph.node("camera").outputs[0].data_type, graph.node("viewer").inputs[0].data_type


def test_types_that_do_not_fit_are_an_error_that_names_both_ends_and_both_types(check: Check) -> None:
    checked = check(flow("std/media/v1/Image", "std/core/v1/String"))
    assert checked.told == [
        "error DF302 9:28 `viewer` expects `std/core/v1/String` on `picture`, but `camera` sends `std/media/v1/Image`"
    ]
    finding = checked.only("DF302")
    assert (finding.label, finding.help) == (
        "`picture` reads `camera/image`",
        "write `std/media/v1/Image` here, or read another output",
    )
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:5:27", "`camera/image` is declared here")
    ]
    assert finding.notes == ()


def test_a_mismatch_of_structs_names_the_member_that_keeps_them_apart(check: Check) -> None:
    finding = check(flow("std/media/v1/Image", "std/media/v1/PointCloud")).only("DF302")
    assert finding.notes == ("`std/media/v1/Image` has no member `points`",)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("std/media/v1/Image", "std/media/v1/Image"),
        ("std/core/v1/UInt8", "std/core/v1/UInt64"),
        ("std/media/v1/Image", "std/core/v1/Bytes"),
        ("'std/media/v1/AudioFrame[sample_type=f32]'", "std/media/v1/AudioFrame"),
    ],
)
def test_types_that_fit_are_no_finding(check: Check, sent: str, expected: str) -> None:
    assert check(flow(sent, expected)).told == []


def test_a_rule_of_the_user_makes_types_fit(check: Check) -> None:
    rule = "type_rules: [{from: std/media/v1/Image, to: std/media/v1/CompressedImage}]\n"
    assert check(flow("std/media/v1/Image", "std/media/v1/CompressedImage", rule)).told == []
    assert len(check(flow("std/media/v1/CompressedImage", "std/media/v1/Image", rule)).told) == 1


@pytest.mark.parametrize(
    ("name", "code", "message", "help_text"),
    [
        (
            "std/media/v1/Imag",
            "DF301",
            "there is no type `std/media/v1/Imag`",
            "to use the closest type, write `std/media/v1/Image`",
        ),
        (
            "acme/v1/Thermocouple",
            "DF301",
            "there is no type `acme/v1/Thermocouple`",
            "define it in a file under `types/` beside the dataflow, or remove the annotation",
        ),
        (
            "Image",
            "DF301",
            "`Image` is short for `std/media/v1/Image`; a type is named in full here",
            "write `std/media/v1/Image`",
        ),
        (
            "'std/media/v1/Image['",
            "DF303",
            "`std/media/v1/Image[` is no type name",
            "write a name such as `std/media/v1/Image` or `std/media/v1/AudioFrame[sample_type=f32]`",
        ),
    ],
)
def test_a_type_that_cannot_be_looked_up_is_one_error_and_no_mismatch_too(
    check: Check, name: str, code: str, message: str, help_text: str
) -> None:
    checked = check(flow(name, "std/core/v1/String"))
    assert checked.told == [f"error {code} 5:27 {message}"]
    assert checked.only(code).help == help_text


def test_a_timer_sends_uint64(check: Check) -> None:
    text = "nodes:\n  - {{id: a, path: a.py, inputs: {{tick: dora/timer/hz/1}}, input_types: {{tick: {}}}}}\n"
    assert check(text.format("std/core/v1/UInt64")).told == []
    assert check(text.format("std/core/v1/Bytes")).told == []
    checked = check(text.format("std/core/v1/UInt32"))
    assert checked.told == [
        "error DF302 2:78 `a` expects `std/core/v1/UInt32` on `tick`, but a timer sends `std/core/v1/UInt64`"
    ]
    assert checked.only("DF302").help == "write `std/core/v1/UInt64` here, or remove the annotation"
    assert [label.text for label in checked.only("DF302").related] == ["the timer is here"]


def test_a_timer_without_annotation_is_typed(check: Check) -> None:
    graph = check("nodes:\n  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/1}}\n").graph
    assert graph.nodes[0].inputs[0].data_type == Scalar("UInt64")


@pytest.mark.parametrize("key", ["from", "to"])
def test_a_rule_with_an_unknown_type_is_an_error_at_that_type(check: Check, key: str) -> None:
    rule = {"from": "std/media/v1/Image", "to": "std/core/v1/String", key: "std/media/v1/Imag"}
    checked = check(f"type_rules:\n  - from: {rule['from']}\n    to: {rule['to']}\nnodes: [{{id: a, path: a.py}}]\n")
    place = {"from": "2:11", "to": "3:9"}[key]
    assert checked.told == [f"error DF301 {place} there is no type `std/media/v1/Imag`"]


def test_a_rule_with_parameters_is_an_error(check: Check) -> None:
    checked = check(
        "type_rules: [{from: 'std/media/v1/AudioFrame[sample_type=f32]', to: std/core/v1/String}]\n"
        "nodes: [{id: a, path: a.py}]\n"
    )
    assert checked.told == [
        (
            "error DF303 1:21 `std/media/v1/AudioFrame[sample_type=f32]` has parameters, "
            "and a type rule holds whatever they are"
        )
    ]


@pytest.mark.parametrize(("sent", "expected"), [("std/core/v1/Float32", ""), ("", "std/core/v1/Float32")])
def test_one_annotated_end_tells_the_other(check: Check, sent: str, expected: str) -> None:
    assert ends(check(flow(sent, expected)).graph) == (Scalar("Float32"), Scalar("Float32"))


def test_each_end_keeps_its_own_annotation(check: Check) -> None:
    assert ends(check(flow("std/core/v1/UInt8", "std/core/v1/UInt64")).graph) == (Scalar("UInt8"), Scalar("UInt64"))


def test_without_annotations_nothing_is_known(check: Check) -> None:
    assert ends(check(flow("", "")).graph) == (None, None)


def test_an_input_that_takes_bytes_tells_nothing_of_its_sender(check: Check) -> None:
    assert ends(check(flow("", "std/core/v1/Bytes")).graph) == (None, Scalar("LargeBinary"))


def test_an_annotation_that_cannot_be_looked_up_is_not_replaced_by_the_other_end(check: Check) -> None:
    assert ends(check(flow("std/core/v1/Flot32", "std/core/v1/Float32")).graph) == (None, Scalar("Float32"))
    assert ends(check(flow("std/core/v1/Float32", "std/core/v1/Flot32")).graph) == (Scalar("Float32"), None)


READERS = """\
nodes:
  - {{id: first, path: a.py, inputs: {{x: camera/image}}}}
  - {{id: camera, path: c.py, outputs: [image]}}
  - {{id: second, path: b.py, inputs: {{x: camera/image}}, input_types: {{x: {second}}}}}
  - {{id: third, path: d.py, inputs: {{x: camera/image}}, input_types: {{x: {third}}}}}
"""


def test_readers_that_agree_tell_the_output_and_its_other_readers(check: Check) -> None:
    graph = check(READERS.format(second="std/core/v1/Float32", third="std/core/v1/Float32")).graph
    assert graph.node("camera").outputs[0].data_type == Scalar("Float32")
    assert graph.node("first").inputs[0].data_type == Scalar("Float32")


def test_readers_that_disagree_tell_nothing(check: Check) -> None:
    checked = check(READERS.format(second="std/core/v1/Float32", third="std/core/v1/String"))
    assert checked.told == []
    assert checked.graph.node("camera").outputs[0].data_type is None
    assert checked.graph.node("first").inputs[0].data_type is None


def test_strict_types_demand_an_annotation_of_what_an_annotated_input_reads(check: Check) -> None:
    checked = check(flow("", "std/core/v1/String", "strict_types: true\n"))
    assert checked.told == [
        (
            "error DF304 10:28 `viewer` expects `std/core/v1/String` on `picture`, but `camera` gives no type for "
            "`image`, as `strict_types` demands"
        )
    ]
    assert checked.only("DF304").help == "add `image: std/core/v1/String` to the `output_types` of `camera`"
    assert len(check(flow("std/core/v1/Strng", "std/core/v1/String", "strict_types: true\n")).told) == 1
    assert check(flow("std/core/v1/String", "", "strict_types: true\n")).told == []


def test_the_ports_of_a_sole_operator_are_named_as_they_are_written(check: Check) -> None:
    checked = check(
        """\
nodes:
  - id: camera
    operator: {python: c.py, outputs: [image], output_types: {image: std/media/v1/Image}}
  - id: viewer
    operator: {python: v.py, inputs: {x: camera/image}, input_types: {x: std/core/v1/String}}
"""
    )
    finding = checked.only("DF302")
    assert finding.message == "`viewer` expects `std/core/v1/String` on `x`, but `camera` sends `std/media/v1/Image`"
    assert finding.label == "`x` reads `camera/image`"


def test_types_of_the_project_are_found(check: Check) -> None:
    types = {"types/robot/v1.yml": "types:\n  Level: {arrow: Struct, fields: [{name: value, type: Float32}]}\n"}
    graph = check(flow("robot/v1/Level", ""), types).graph
    level = graph.node("viewer").inputs[0].data_type
    assert isinstance(level, Struct)
    assert (level.urn, [member.name for member in level.fields]) == ("robot/v1/Level", ["value"])


PARAMETERS = {
    "std/media/v1/AudioFrame[sample_typ=f32]": (
        "`std/media/v1/AudioFrame` has no parameter `sample_typ`, so it keeps nothing apart; its parameters are "
        "`sample_type`, `channels`"
    ),
    "std/core/v1/Float32[unit=m]": (
        "`std/core/v1/Float32` has no parameter `unit`, so it keeps nothing apart; it has none"
    ),
    "own/v1/Scan[rays=3]": (
        "`own/v1/Scan` has no parameter `rays`, so it keeps nothing apart; its parameters are `beams`"
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_that_the_type_does_not_have_is_a_warning(check: Check, name: str) -> None:
    own = "types: {Scan: {arrow: Float32, params: [{name: beams, default: 1}]}}\n"
    text = f'nodes:\n  - {{id: a, path: a.py, outputs: [x], output_types: {{x: "{name}"}}}}\n'
    assert check(text, {"types/own/v1.yml": own}).told == [f"warning DF306 2:57 {PARAMETERS[name]}"]


@pytest.mark.parametrize(
    "name",
    [
        *("std/media/v1/AudioFrame[sample_type=f32,channels=2]", "std/media/v1/Image[encoding=jpeg]"),
        *(
            "std/media/v1/PointCloud[point_type=xyz]",
            "std/media/v1/CompressedImage[format=png]",
            "own/v1/Scan[beams=3]",
        ),
    ],
)
def test_the_parameters_of_a_type_are_let_through(check: Check, name: str) -> None:
    own = "types: {Scan: {arrow: Float32, params: [{name: beams}], metadata: [{key: stamp}]}}\n"
    text = f'nodes:\n  - {{id: a, path: a.py, outputs: [x], output_types: {{x: "{name}"}}}}\n'
    assert check(text, {"types/own/v1.yml": own}).told == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("params: [{nam: x}]", "error DF102 1:41 this parameter lacks the key `name`, which is required"),
        ("params: [{name: x, defalt: 1}]", "error DF101 1:51 a parameter has no key `defalt`"),
        ("metadata: [{name: x}]", "error DF102 1:43 this metadata entry lacks the key `key`, which is required"),
    ],
)
def test_a_malformed_part_of_a_type_is_told_in_its_file(check: Check, keys: str, told: str) -> None:
    own = f"types: {{Scan: {{arrow: Float32, {keys}}}}}\n"
    assert check("nodes: [{id: a, path: a.py}]\n", {"types/own/v1.yml": own}).told == [told]
