"""Command lines split into words, and what is found in them."""

from __future__ import annotations

import shlex
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.command_line import filled_words, split_words


def words(text: str) -> list[str] | None:
    split = split_words(text)
    return None if split is None else [word.text for word in split]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n", []),
        ("--rate 30", ["--rate", "30"]),
        ("a\tb\nc", ["a", "b", "c"]),
        ("--name 'front camera'", ["--name", "front camera"]),
        ('--name="front camera"', ["--name=front camera"]),
        ("a\\ b", ["a b"]),
        ("a\\\nb", ["ab"]),
        ("''", [""]),
        ("a # the rest is a comment", ["a"]),
        ("# first\nsecond", ["second"]),
        ("a#b", ["a#b"]),
        (r'"\$HOME \` \" \\ \n"', [r"$HOME ` " + '" \\ \\n']),
        ('"two\\\nlines"', ["twolines"]),
        (r"'a\b'", [r"a\b"]),
        ("a\rb", ["a\rb"]),
        ("'open", None),
        ('"open', None),
        ("open\\", None),
        ('"open\\"', None),
    ],
)
def test_arguments_are_split_as_dora_splits_them(text: str, expected: list[str] | None) -> None:
    assert words(text) == expected


@given(st.lists(st.text(string.printable)))
def test_quoted_arguments_come_back_as_they_were(arguments: list[str]) -> None:
    assert words(shlex.join(arguments)) == arguments


@given(st.text("ab \t\n'\"\\#$`;"))
def test_any_text_is_split_or_refused(text: str) -> None:
    split = words(text)
    assert split is None or all(isinstance(word, str) for word in split)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("make -j $JOBS", ["make", "-j", "4"]),
        ("make ${JOBS}x '$JOBS'", ["make", "4x", "4"]),
        ("make $ABSENT # then rest", ["make", "$ABSENT"]),
        ("make 'open", None),
        ("", []),
    ],
)
def test_variables_of_a_build_command_are_filled_in_after_splitting(command: str, expected: list[str] | None) -> None:
    assert filled_words(command, {"JOBS": "4"}) == expected
