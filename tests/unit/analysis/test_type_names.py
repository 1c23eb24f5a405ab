from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.type_names import TypeName, parse_type_name, unwrap_lists


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("std/core/v1/Float32", TypeName("std/core/v1/Float32")),
        ("Image", TypeName("Image")),
        ("my-robot/v1.2/Sensor_3", TypeName("my-robot/v1.2/Sensor_3")),
        ("a/T[k=v]", TypeName("a/T", (("k", "v"),))),
        ("a/T[ k = v , l=2 ]", TypeName("a/T", (("k", "v"), ("l", "2")))),
        ("a/T[k=a=b]", TypeName("a/T", (("k", "a=b"),))),
    ],
)
def test_a_type_name_is_taken_apart(text: str, expected: TypeName) -> None:
    assert parse_type_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "/a", "a/", "a//b", "a b", "List<a>", "[k=v]", "a/T]"),
        *("a/T[", "a/T[]", "a/T[k]", "a/T[=v]", "a/T[k=]", "a/T[k=v,]", "a/T[k=v]x", "a/T[k=1,k=2]"),
    ],
)
def test_a_malformed_type_name_is_refused(text: str) -> None:
    assert parse_type_name(text) is None


parameters = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))
names = st.builds(lambda base, pairs: TypeName(base, tuple(pairs.items())), st.sampled_from(["a/S", "a/T"]), parameters)


@given(names, names)
def test_agreement_is_reflexive_and_symmetric(first: TypeName, second: TypeName) -> None:
    assert first.agrees_with(first)
    assert first.agrees_with(second) == second.agrees_with(first)


@given(names)
def test_a_name_without_parameters_agrees_with_any(name: TypeName) -> None:
    assert name.agrees_with(TypeName(name.base))


@given(st.text("abc</>[]=, "))
def test_any_text_is_read_or_refused(text: str) -> None:
    name = parse_type_name(text)
    assert name is None or text.startswith(name.base)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Utf8", (0, "Utf8")),
        (" List< Utf8 > ", (1, "Utf8")),
        ("List<List<std/math/v1/Pose>>", (2, "std/math/v1/Pose")),
        ("List<>", (0, "List<>")),
        ("List<Utf8", (0, "List<Utf8")),
    ],
)
def test_lists_are_unwrapped(text: str, expected: tuple[int, str]) -> None:
    assert unwrap_lists(text) == expected
