"""The clock of another host, measured over a network that takes its time."""

from __future__ import annotations

import pytest
from doraflow_runtime.fleet.clock import KEPT, SLOWEST_NS, Clock, Estimate
from hypothesis import given
from hypothesis import strategies as st

DELAYS = st.integers(0, 10**9)


@given(st.integers(-(10**12), 10**12), st.lists(st.tuples(DELAYS, DELAYS, DELAYS), min_size=1, max_size=2 * KEPT))
def test_the_offset_is_never_further_off_than_the_error_that_is_told(
    offset: int, trips: list[tuple[int, int, int]]
) -> None:
    clock, now = Clock(), 10**13
    for there, busy, back in trips:
        received = now + there + offset
        assert clock.take(now, received, received + busy, now + there + busy + back)
        now += 10**9
    assert clock.estimate is not None
    assert abs(clock.estimate.offset_ns - offset) <= clock.estimate.error_ns + 1


def test_the_shortest_of_the_last_round_trips_counts() -> None:
    clock = Clock()
    clock.take(0, 1000, 1000, 100)
    assert clock.estimate == Estimate(950, 50)
    for start in range(1, KEPT):
        clock.take(start, start + 1000, start + 1000, start + 400)
    assert clock.estimate == Estimate(950, 50)
    clock.take(99, 1099, 1099, 499)  # and with it the first is forgotten
    assert clock.estimate == Estimate(800, 200)


@pytest.mark.parametrize(
    "trip",
    [
        pytest.param((0, 50, 40, 100), id="answered before it was asked"),
        pytest.param((0, 50, 500, 100), id="answered for longer than the trip took"),
        pytest.param((100, 50, 50, 0), id="back before it was sent"),
        pytest.param((0, 50, 50, SLOWEST_NS + 1), id="too slow to be of use"),
    ],
)
def test_a_round_trip_that_cannot_be_is_not_counted(trip: tuple[int, int, int, int]) -> None:
    clock = Clock()
    assert not clock.take(*trip)
    assert clock.estimate is None


def test_a_clock_is_measured_anew_after_its_host_was_away() -> None:
    clock = Clock()
    clock.take(0, 10, 10, 20)
    clock.forget()
    assert clock.estimate is None
