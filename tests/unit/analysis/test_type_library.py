from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from doraflow_runtime.contract import Field, ListOf, Scalar, Struct

from doraflow.analysis.standard_types import SCALAR_TYPES, STRUCT_TYPES
from doraflow.analysis.type_library import library, standard_library

STANDARD = Path(__file__).resolve().parents[4] / "shared" / "reference" / "dora" / "std-types"
VECTOR = Struct("std/math/v1/Vector3", tuple(Field(name, Scalar("Float64")) for name in "xyz"))


@pytest.mark.skipif(not STANDARD.is_dir(), reason="dora's type files are not beside this checkout")
def test_the_standard_types_are_doras() -> None:
    scalars: dict[str, str] = {}
    structs: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(STANDARD.glob("**/*.yml")):
        prefix = path.relative_to(STANDARD).with_suffix("").as_posix()
        for name, definition in yaml.safe_load(path.read_text())["types"].items():
            if definition["arrow"] == "Struct":
                structs[f"{prefix}/{name}"] = [(field["name"], field["type"]) for field in definition["fields"]]
            else:
                scalars[f"{prefix}/{name}"] = definition["arrow"]
    assert dict(SCALAR_TYPES) == scalars
    assert {
        urn: [(name, re.sub(r"std/\w+/v1/", "", text)) for name, text in members.items()]
        for urn, members in STRUCT_TYPES.items()
    } == structs


def test_every_standard_type_is_resolved() -> None:
    made = standard_library()
    assert made.faults == ()
    assert [urn for urn, data_type in made.types.items() if data_type is None] == []


@pytest.mark.parametrize(
    ("urn", "data_type"),
    [
        ("std/core/v1/Float32", Scalar("Float32")),
        ("std/core/v1/String", Scalar("Utf8")),
        ("std/core/v1/Bytes", Scalar("LargeBinary")),
        ("std/control/v1/Twist", Struct("std/control/v1/Twist", (Field("linear", VECTOR), Field("angular", VECTOR)))),
        ("std/media/v2/Image", None),
    ],
)
def test_a_urn_leads_to_its_arrow_type(urn: str, data_type: Scalar | Struct | None) -> None:
    assert standard_library().data_type(urn) == data_type


@pytest.mark.parametrize(
    ("name", "urns"),
    [
        ("Image", ("std/media/v1/Image",)),
        ("v1/Image", ("std/media/v1/Image",)),
        ("std/media/v1/Image", ("std/media/v1/Image",)),
        ("mage", ()),
        ("Pose", ("std/math/v1/Pose", "robot/v1/Pose")),
    ],
)
def test_a_short_name_is_the_end_of_a_urn(name: str, urns: tuple[str, ...]) -> None:
    assert library({"robot/v1/Pose": "Float64"}).ending_in(name) == urns


def test_members_name_types_by_arrow_name_short_name_urn_and_list() -> None:
    made = library(
        {
            "p/Mark": {
                "level": "Float32",
                "text": "String",
                "at": "Vector3",
                "others": "List<std/math/v1/Vector3>",
                "rows": "List<List<UInt8>>",
            }
        }
    )
    assert made.faults == ()
    assert made.data_type("p/Mark") == Struct(
        "p/Mark",
        (
            Field("level", Scalar("Float32")),
            Field("text", Scalar("Utf8")),
            Field("at", VECTOR),
            Field("others", ListOf(VECTOR)),
            Field("rows", ListOf(ListOf(Scalar("UInt8")))),
        ),
    )


def faults(own: dict[str, str | dict[str, str]]) -> list[tuple[str, str, str, str]]:
    return [(fault.code, fault.urn, fault.member, fault.message) for fault in library(own).faults]


def test_a_struct_that_contains_itself_is_one_fault_at_the_member_that_closes_the_circle() -> None:
    own: dict[str, str | dict[str, str]] = {
        "p/A": {"b": "p/B"},
        "p/B": {"number": "Int8", "cs": "List<p/C>"},
        "p/C": {"a": "p/A"},
        "p/D": {"a": "p/A"},
    }
    assert faults(own) == [("DF305", "p/C", "a", "`p/A` contains itself: p/A -> p/B -> p/C -> p/A")]
    assert [library(own).data_type(urn) for urn in own] == [None] * 4


def test_an_unknown_member_type_is_one_fault_however_many_types_hold_the_struct() -> None:
    own: dict[str, str | dict[str, str]] = {"p/A": {"v": "Vektor3"}, "p/B": {"a": "p/A"}, "p/C": {"a": "p/A"}}
    (fault,) = library(own).faults
    assert (fault.code, fault.message, fault.help) == (
        "DF301",
        "there is no type `Vektor3`",
        "to use the closest type, write `Vector3`",
    )


def test_a_users_type_may_have_the_short_name_of_a_standard_one() -> None:
    made = library({"p/Vector3": {"x": "Int8"}, "p/BoundingBox": {"x": "Int8"}})
    assert made.faults == ()
    assert made.data_type("std/control/v1/Twist") == standard_library().data_type("std/control/v1/Twist")


def test_a_short_name_of_two_types_is_a_fault() -> None:
    assert faults({"p/Pose": "Int8", "p/A": {"pose": "Pose"}}) == [
        ("DF301", "p/A", "pose", "`Pose` is short for several types: `std/math/v1/Pose`, `p/Pose`")
    ]


def nested(depth: int) -> dict[str, str | dict[str, str]]:
    """A struct in a struct, `depth` times: p/T0 holds p/T1 and so on."""
    own: dict[str, str | dict[str, str]] = {f"p/T{level}": {"inner": f"p/T{level + 1}"} for level in range(depth - 1)}
    return {**own, f"p/T{depth - 1}": {"inner": "Int8"}}


def test_types_nest_up_to_sixteen_deep() -> None:
    assert library(nested(16)).faults == ()
    assert faults(nested(17)) == [("DF305", "p/T0", "inner", "`p/T0` nests more than 16 deep")]
    assert len(faults(nested(5000))) >= 1


def test_lists_count_as_nesting() -> None:
    assert faults({"p/A": {"deep": "List<" * 15 + "Int8" + ">" * 15}}) == []
    assert len(faults({"p/A": {"deep": "List<" * 3000 + "Int8" + ">" * 3000}})) == 1


def test_a_type_that_grows_beyond_measure_is_a_fault() -> None:
    own: dict[str, str | dict[str, str]] = {
        f"p/T{level}": {f"m{number}": f"p/T{level + 1}" for number in range(10)} for level in range(6)
    }
    assert faults({**own, "p/T6": {"x": "Int8"}})[0][3] == "`p/T2` has more than 4096 members in all"


def test_a_struct_without_members_is_known_and_has_no_arrow_type() -> None:
    made = library({"p/Opaque": {}})
    assert (made.faults, "p/Opaque" in made.types, made.data_type("p/Opaque")) == ((), True, None)


@pytest.mark.parametrize(
    ("base", "first"),
    [
        ("std/media/v1/Imag", "std/media/v1/Image"),
        ("Image", "std/media/v1/Image"),
        ("std/vision/v1/Imag", "std/media/v1/Image"),
        ("BoundingBx", "std/vision/v1/BoundingBox"),
    ],
)
def test_the_closest_type_is_suggested_first(base: str, first: str) -> None:
    assert standard_library().near(base)[0] == first


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    assert standard_library().near("acme/v1/Thermocouple") == []
