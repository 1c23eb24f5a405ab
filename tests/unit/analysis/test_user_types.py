from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

FLOW = "nodes:\n  - {id: a, path: a.py, outputs: [x], output_types: {x: robot/v1/Mark}}\n"


def told(check: Check, text: str, path: str = "types/robot/v1.yml", flow: str = FLOW) -> list[str]:
    """What is found in a type file, with the file's own lines and columns."""
    return [line for line in check(flow, {path: text}).told if "there is no type `robot/v1/Mark`" not in line]


def test_a_file_with_all_keys_is_read(check: Check) -> None:
    assert (
        told(
            check,
            """\
types:
  Level:
    arrow: Float32
    description: how much
  Mark:
    arrow: Struct
    description: where and how much
    params: [{name: kind, default: a}]
    metadata: [{key: request_id}]
    fields:
      - {name: at, type: Vector3}
      - {name: level, type: Level, nullable: false}
""",
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("typs: {}\n", "error DF101 1:1 a type file has no key `typs`"),
        ("types: [a]\n", "error DF102 1:8 this type file lacks the key `types`, which is required"),
        ("types:\n  Mark:\n", "error DF102 2:3 this type lacks the key `arrow`, which is required"),
        ("types:\n  Mark: {fields: []}\n", "error DF102 2:9 this type lacks the key `arrow`, which is required"),
        ("types:\n  Mark: {arrow: Utf8, feilds: []}\n", "error DF101 2:23 a type has no key `feilds`"),
        (
            "types:\n  Mark: {arrow: Float31}\n",
            "error DF301 2:17 `Float31` is no Arrow type, so `robot/v1/Mark` has none",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{name: a}]}\n",
            "error DF102 2:34 this field lacks the key `type`, which is required",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{type: Utf8}]}\n",
            "error DF102 2:34 this field lacks the key `name`, which is required",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{name: a, type: Utf8, nulable: true}]}\n",
            "error DF101 2:56 a field has no key `nulable`",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{name: a, type: Utf8}, {name: a, type: Utf8}]}\n",
            "error DF305 2:64 `robot/v1/Mark` has two fields `a`",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{name: a, type: Vektor3}]}\n",
            "error DF301 2:50 there is no type `Vektor3`",
        ),
        (
            "types:\n  Mark: {arrow: Struct, fields: [{name: a, type: List<Mark>}]}\n",
            "error DF305 2:50 `robot/v1/Mark` contains itself: robot/v1/Mark -> robot/v1/Mark",
        ),
        (
            "types:\n  Mark: {arrow: Int8}\n  a b: {arrow: Int8}\n",
            "error DF303 3:3 `robot/v1/a b` is no type name: only letters, digits, `_`, `-`, `.` and `/` are allowed",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_at_its_place(check: Check, text: str, finding: str) -> None:
    assert finding in told(check, text)


def test_a_struct_that_cannot_be_resolved_is_not_reported_at_its_ports(check: Check) -> None:
    text = "types:\n  Mark: {arrow: Struct, fields: [{name: a, type: Vektor3}]}\n"
    assert check(FLOW, {"types/robot/v1.yml": text}).told == ["error DF301 2:50 there is no type `Vektor3`"]


@pytest.mark.parametrize("path", ["types/std/robot/v1.yml", "types/std.yml"])
def test_the_prefix_of_the_standard_types_is_reserved(check: Check, path: str) -> None:
    prefix = path.removeprefix("types/").removesuffix(".yml")
    flow = "nodes: [{id: a, path: a.py}]\n"
    assert told(check, "types:\n  Mark: {arrow: Int8}\n", path, flow) == [
        f"error DF303 1:1 `{prefix}` lies under `std/`, which is kept for the standard types"
    ]
