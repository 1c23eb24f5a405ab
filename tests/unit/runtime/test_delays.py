"""The histogram of delays: right within an eighth, subtracted, written and read."""

from __future__ import annotations

import doctest

from doraflow_runtime import delays
from doraflow_runtime.delays import BUCKETS, Delays, from_pairs
from hypothesis import given
from hypothesis import strategies as st


def test_the_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(delays).failed == 0


@given(st.integers(0, 3_600_000_000))
def test_a_single_delay_is_told_within_an_eighth(microseconds: int) -> None:
    made = Delays()
    made.add(microseconds * 1000)
    told = made.percentile(50)
    assert told is not None
    assert abs(told - microseconds) <= microseconds / 8


@given(st.lists(st.integers(-(10**12), 10**18), max_size=50), st.lists(st.integers(0, 10**10), max_size=50))
def test_what_came_later_is_the_difference(first: list[int], second: list[int]) -> None:
    made, later = Delays(), Delays()
    for delay in first:
        made.add(delay)
    before = Delays(made.counts)
    for delay in second:
        made.add(delay)
        later.add(delay)
    assert made.since(before).counts == later.counts
    assert made.total == len(first) + len(second)
    assert from_pairs(made.pairs()).counts == made.counts


def test_nothing_has_no_percentile() -> None:
    assert Delays().percentile(99) is None


def test_a_bucket_that_there_is_not_is_left_out() -> None:
    assert from_pairs([[BUCKETS, 3], [0, 1]]).total == 1
