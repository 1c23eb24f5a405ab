"""YAML 1.2's core schema: which plain scalars are null, a boolean or a number; every other one is a text.

PyYAML's own table is YAML 1.1's, under which `on` is true and `1:30` is 90; it is never asked. Where the core schema
leaves room the table follows dora's reader: `0b101` is a number.
"""

from __future__ import annotations

import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"([-+]?)0(?:o([0-7]+)|x([0-9a-fA-F]+)|b([01]+))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_YAML_1_1_OCTAL = re.compile(r"[-+]?0[0-7]+")

# Longer integers are read as floats, as a reader with 128-bit integers does; int() itself gives up at 4300 digits.
_LONGEST_INTEGER = 40


def resolve(text: str) -> str | int | float | bool | None:
    """Give the value of a plain scalar.

    >>> resolve("on"), resolve("012"), resolve("0o14"), resolve("~")
    ('on', 12, 12, None)
    """
    if not text or text[0] not in "+-.0123456789~nNtTfF":
        return text or None
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text)


def has_leading_zero(text: str) -> bool:
    """Tell whether `text` is a decimal with a needless zero in front, which readers of YAML take differently.

    >>> has_leading_zero("010"), has_leading_zero("10"), has_leading_zero("0")
    (True, False, False)
    """
    return _LEADING_ZERO.fullmatch(text) is not None


def as_yaml_1_1(text: str) -> int | None:
    """Give the number that a YAML 1.1 reader makes of a decimal with a leading zero; None if it makes none.

    >>> as_yaml_1_1("010"), as_yaml_1_1("09")
    (8, None)
    """
    return int(text, 8) if has_leading_zero(text) and _YAML_1_1_OCTAL.fullmatch(text) else None


def _number(text: str) -> str | int | float:
    if len(text) <= _LONGEST_INTEGER:
        if _DECIMAL.fullmatch(text):
            return int(text)
        if based := _BASED.fullmatch(text):
            return _based_integer(based)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    return float("nan") if text in _NOT_A_NUMBER else text


def _based_integer(match: re.Match[str]) -> int:
    sign, octal, hexadecimal, binary = match.groups()
    digits, base = next((digits, base) for digits, base in ((octal, 8), (hexadecimal, 16), (binary, 2)) if digits)
    return -int(digits, base) if sign == "-" else int(digits, base)
