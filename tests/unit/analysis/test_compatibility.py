from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.compatibility import compatibility, difference
from doraflow.analysis.type_library import standard_library
from doraflow.analysis.type_names import TypeName, parse_type_name

URNS = tuple(standard_library().types)


def fits(sent: str, expected: str, rules: list[tuple[str, str]] | None = None) -> bool:
    first, second = parse_type_name(sent), parse_type_name(expected)
    assert first is not None
    assert second is not None
    return compatibility(rules or []).fits(first, second)


@pytest.mark.parametrize(
    ("sent", "expected", "result"),
    [
        ("std/media/v1/Image", "std/media/v1/Image", True),
        ("std/media/v1/Image", "std/media/v1/AudioFrame", False),
        ("std/media/v1/AudioFrame[sample_type=f32]", "std/media/v1/AudioFrame", True),
        ("std/media/v1/AudioFrame", "std/media/v1/AudioFrame[sample_type=f32]", True),
        ("std/media/v1/AudioFrame[sample_type=f32]", "std/media/v1/AudioFrame[sample_type=i16]", False),
        ("std/media/v1/AudioFrame[sample_type=f32]", "std/media/v1/AudioFrame[channels=2]", True),
        ("std/core/v1/UInt8", "std/core/v1/UInt32", True),
        ("std/core/v1/UInt8", "std/core/v1/UInt64", True),
        ("std/core/v1/UInt64", "std/core/v1/UInt8", False),
        ("std/core/v1/UInt16", "std/core/v1/UInt32", False),
        ("std/core/v1/Int32", "std/core/v1/Int64", True),
        ("std/core/v1/Float32", "std/core/v1/Float64", True),
        ("std/core/v1/Float64", "std/core/v1/Float32", False),
        ("std/vision/v1/Detection", "std/core/v1/Bytes", True),
        ("std/core/v1/Bytes", "std/vision/v1/Detection", False),
    ],
)
def test_the_built_in_rules_are_doras(sent: str, expected: str, result: bool) -> None:
    assert fits(sent, expected) is result


CHAIN = [("p/A", "p/B"), ("p/B", "p/C"), ("p/C", "p/D"), ("p/D", "p/E")]


@pytest.mark.parametrize(("expected", "result"), [("p/B", True), ("p/C", True), ("p/D", True), ("p/E", False)])
def test_at_most_three_steps_are_taken(expected: str, result: bool) -> None:
    assert fits("p/A", expected, CHAIN) is result


def test_a_rule_joins_the_widenings() -> None:
    assert fits("std/core/v1/UInt8", "p/Level", [("std/core/v1/UInt64", "p/Level")])


def test_rules_in_a_circle_end() -> None:
    assert not fits("p/A", "p/Z", [("p/A", "p/B"), ("p/B", "p/A")])


types = st.sampled_from(URNS)
pairs = st.lists(st.tuples(types, types), max_size=6)


@given(types, st.dictionaries(st.sampled_from("kl"), st.sampled_from("12")), pairs)
def test_every_type_fits_itself(urn: str, parameters: dict[str, str], rules: list[tuple[str, str]]) -> None:
    name = TypeName(urn, tuple(parameters.items()))
    assert compatibility(rules).fits(name, name)


@given(types, types, pairs)
def test_a_rule_never_takes_away_what_fits(sent: str, expected: str, rules: list[tuple[str, str]]) -> None:
    if fits(sent, expected):
        assert fits(sent, expected, rules)
    for source, target in rules:
        assert fits(source, target, rules)


@pytest.mark.parametrize(
    ("sent", "expected", "text"),
    [
        ("std/media/v1/Image", "std/media/v1/PointCloud", "`std/media/v1/Image` has no member `points`"),
        (
            "std/vision/v1/BoundingBox",
            "std/math/v1/Vector3",
            "the member `x` is `Float32` in `std/vision/v1/BoundingBox` and `Float64` in `std/math/v1/Vector3`",
        ),
        ("std/math/v1/Quaternion", "std/math/v1/Vector3", None),
        ("std/core/v1/String", "std/math/v1/Vector3", None),
    ],
)
def test_what_keeps_two_structs_apart_is_named(sent: str, expected: str, text: str | None) -> None:
    library = standard_library()
    assert difference(library.data_type(sent), library.data_type(expected)) == text
