"""Cutting a byte stream into lines."""

from __future__ import annotations

import pytest
from doraflow_runtime.launcher.lines import Line, LineSplitter
from hypothesis import given
from hypothesis import strategies as st


def split(data: bytes, limit: int = 8, size: int = 1 << 20) -> list[Line]:
    splitter = LineSplitter(limit)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.finish()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a\nb\n", [Line("a"), Line("b")]),
        (b"a\r\nb", [Line("a"), Line("b")]),
        (b"\n\n", [Line(""), Line("")]),
        (b"10%\r20%\r30%\n", [Line("10%"), Line("20%"), Line("30%")]),
        (b"10%\r", [Line("10%")]),
        (b"\xff\xfe\n", [Line("\\xff\\xfe")]),
        (b"12345678\n", [Line("12345678")]),
        (b"123456789\n", [Line("12345678", goes_on=True), Line("9")]),
        (b"1234567\xc3\xa9\n", [Line("1234567", goes_on=True), Line("é")]),
        (b"\x80" * 9 + b"\n", [Line("\\x80" * 5, goes_on=True), Line("\\x80" * 4)]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
def test_lines_end_at_newlines_and_carriage_returns(data: bytes, expected: list[Line], size: int) -> None:
    assert split(data, size=size) == expected


def test_a_line_without_end_is_given_out_when_it_reaches_the_limit() -> None:
    splitter = LineSplitter(4)
    assert splitter.feed(b"123456") == [Line("1234", goes_on=True)]
    assert splitter.finish() == [Line("56")]


@given(st.text(alphabet="ab\n\u00e9\u20ac", max_size=60), st.integers(1, 7))
def test_no_character_is_lost_however_the_bytes_arrive(text: str, size: int) -> None:
    pieces = split(text.encode(), size=size)
    assert "".join(line.text + "\n" * (not line.goes_on) for line in pieces).removesuffix("\n") == text.removesuffix(
        "\n"
    )


@given(st.binary(max_size=100), st.integers(1, 50))
def test_any_bytes_give_lines_that_are_bounded(data: bytes, size: int) -> None:
    assert all(len(line.text.encode()) <= 8 * 4 for line in split(data, size=size))
