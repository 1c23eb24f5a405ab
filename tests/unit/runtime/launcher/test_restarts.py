"""Whether a node is started again: dora's rules as a table, and what holds for any run of exits."""

from __future__ import annotations

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.restarts import Again, Exit, Over, RestartRules, Restarts
from hypothesis import given
from hypothesis import strategies as st

LONG = 60.0
FAILED = Exit(has_failed=True, lifetime=LONG)
ENDED = Exit(has_failed=False, lifetime=LONG)


@pytest.mark.parametrize(
    ("policy", "end", "expected"),
    [
        ("never", FAILED, Over.POLICY),
        ("never", ENDED, Over.POLICY),
        ("on-failure", FAILED, Again(0.0, 1)),
        ("on-failure", ENDED, Over.POLICY),
        ("always", FAILED, Again(0.0, 1)),
        ("always", ENDED, Again(0.0, 1)),
        ("always", Exit(has_failed=True, lifetime=LONG, is_stopping=True), Over.STOPPING),
        ("always", Exit(has_failed=True, lifetime=LONG, is_finished=True), Over.FINISHED),
        ("never", Exit(has_failed=True, lifetime=LONG, is_finished=True), Over.POLICY),
        ("never", Exit(has_failed=False, lifetime=LONG, is_ordered=True), Again(0.0, 1)),
        ("never", Exit(has_failed=False, lifetime=LONG, is_ordered=True, is_finished=True), Again(0.0, 1)),
        ("never", Exit(has_failed=False, lifetime=LONG, is_ordered=True, is_stopping=True), Over.STOPPING),
    ],
)
def test_a_policy_decides_about_an_exit(policy: str, end: Exit, expected: object) -> None:
    rules = RestartRules(policy)  # type: ignore[arg-type] - from the table above
    assert Restarts(rules, now=0.0).decide(end, now=LONG) == expected


def test_the_delay_doubles_up_to_the_longest() -> None:
    restarts = Restarts(RestartRules("always", delay=1.0, longest_delay=10.0), now=0.0)
    assert [_delay(restarts, ENDED, at) for at in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_the_delay_stops_doubling_after_sixteen_times() -> None:
    restarts = Restarts(RestartRules("always", delay=1.0), now=0.0)
    assert [_delay(restarts, ENDED, at) for at in range(19)][-3:] == [65536.0, 65536.0, 65536.0]


def test_a_limit_counts_within_its_window() -> None:
    restarts = Restarts(RestartRules("on-failure", limit=2, window=10.0), now=0.0)
    decisions = [restarts.decide(FAILED, now) for now in (1.0, 2.0, 3.0)]
    assert decisions == [Again(0.0, 1), Again(0.0, 2), Over.LIMIT]
    restarts = Restarts(RestartRules("on-failure", limit=2, window=10.0), now=0.0)
    decisions = [restarts.decide(FAILED, now) for now in (1.0, 2.0, 10.5, 11.0, 12.0)]
    assert decisions == [Again(0.0, 1), Again(0.0, 2), Again(0.0, 3), Again(0.0, 4), Over.LIMIT]


def test_a_new_window_begins_with_the_first_delay_again() -> None:
    restarts = Restarts(RestartRules("always", delay=1.0, window=10.0), now=0.0)
    assert [_delay(restarts, ENDED, now) for now in (1.0, 2.0, 12.0)] == [1.0, 2.0, 1.0]


def test_a_limit_of_none_is_never_reached() -> None:
    restarts = Restarts(RestartRules("always"), now=0.0)
    assert all(isinstance(restarts.decide(ENDED, float(now)), Again) for now in range(1000))
    assert restarts.count == 1000


def test_a_node_that_ends_at_once_is_started_more_and_more_slowly() -> None:
    restarts = Restarts(RestartRules("always"), now=0.0)
    short = Exit(has_failed=True, lifetime=0.1)
    assert [_delay(restarts, short, at) for at in range(8)] == [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert _delay(restarts, FAILED, 9.0) == 0.0
    assert _delay(restarts, short, 10.0) == 0.0


def test_a_restart_that_someone_asks_for_is_beyond_the_limit() -> None:
    restarts = Restarts(RestartRules("on-failure", limit=1, delay=5.0), now=0.0)
    ordered = Exit(has_failed=False, lifetime=0.1, is_ordered=True)
    assert [restarts.decide(ordered, float(now)) for now in range(3)] == [Again(0.0, 1), Again(0.0, 2), Again(0.0, 3)]
    assert restarts.decide(FAILED, 9.0) == Again(5.0, 4)


def test_the_rules_are_those_of_the_launch_script() -> None:
    process = Process(
        "a",
        "python",
        restart_policy="always",
        max_restarts=3,
        restart_delay=0.5,
        max_restart_delay=9.0,
        restart_window=60,
    )
    assert RestartRules.of(process) == RestartRules("always", 3, 0.5, 9.0, 60)


@given(
    st.builds(
        RestartRules,
        policy=st.sampled_from(["on-failure", "always"]),
        limit=st.integers(0, 5),
        delay=st.floats(0, 1e6),
        longest_delay=st.none() | st.floats(0, 1e6),
        window=st.none() | st.floats(0, 100),
    ),
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5)), max_size=40),
)
def test_delays_are_bounded_and_no_window_sees_more_restarts_than_the_limit(
    rules: RestartRules, ends: list[tuple[float, float]]
) -> None:
    restarts, now, times = Restarts(rules, now=0.0), 0.0, list[float]()
    for pause, lifetime in ends:
        now += pause
        decision = restarts.decide(Exit(has_failed=True, lifetime=lifetime), now)
        if isinstance(decision, Over):
            assert decision is Over.LIMIT
            assert rules.limit
            break
        times.append(now)
        longest = rules.delay * 2.0**16 if rules.longest_delay is None else rules.longest_delay
        assert 0.0 <= decision.delay <= max(longest, 1.0)
        assert decision.attempt == restarts.count == len(times)
    if rules.limit and rules.window is None:
        assert len(times) <= rules.limit


def _delay(restarts: Restarts, end: Exit, now: float) -> float:
    decision = restarts.decide(end, now)
    assert isinstance(decision, Again)
    return decision.delay
