"""The table of YAML 1.2 scalars."""

import math

import pytest

from doraflow.parser.scalars import as_yaml_1_1, has_leading_zero, resolve


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null_has_five_spellings(text: str) -> None:
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("-0b101", -5),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("9" * 60, float("9" * 60)),
        ("9" * 5000, math.inf),
    ],
)
def test_numbers_and_booleans_are_read_as_the_core_schema_says(text: str, value: float) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number_is_a_number() -> None:
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "no", "y", "n", "On", "TRue", "nULL"),
        *("1:30", "2024-01-31", "1_000", "0o8", "0xg", "1.2.3", "1e", "e3", ".", "-", "+", "0x", "inf", "nan", "._5"),
    ],
)
def test_what_other_readers_take_for_numbers_and_booleans_stays_text(text: str) -> None:
    assert resolve(text) == text


def test_only_decimals_with_a_needless_zero_are_ambiguous() -> None:
    assert [text for text in ("010", "-07", "0", "10", "0.5", "0o7", "0x0") if has_leading_zero(text)] == ["010", "-07"]
    assert as_yaml_1_1("010") == 8
    assert as_yaml_1_1("089") is None
    assert as_yaml_1_1("10") is None
