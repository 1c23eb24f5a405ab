"""Names for engines: DNS labels from any text, always the same, and short enough."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.targeting import names
from doraflow.targeting.names import LONGEST_LABEL, dns_label

LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def test_the_examples_hold() -> None:
    assert doctest.testmod(names).failed == 0


@given(st.text(max_size=200))
def test_any_text_gives_a_label_that_stays_as_it_is(text: str) -> None:
    label = dns_label(text)
    assert LABEL.fullmatch(label), label
    assert len(label) <= LONGEST_LABEL
    assert dns_label(label) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("robot", "robot"),
        ("Robot_1", "robot-1"),
        ("robot.lan", "robot-lan"),
        ("--a--b--", "a-b"),
        ("7", "x-7"),
        ("ünïcode", "unicode"),
        ("机器人", "x-a4d14414"),
        ("a" * 60, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-11ee3912"),
    ],
)
def test_a_label_is_near_to_its_text(text: str, label: str) -> None:
    assert dns_label(text) == label


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert dns_label("a" * 60 + "1") != dns_label("a" * 60 + "2")
