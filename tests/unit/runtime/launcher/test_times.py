"""The start barrier and the ladder of stopping, with a clock that the test holds."""

from __future__ import annotations

from doraflow_runtime.launcher.barrier import Barrier
from doraflow_runtime.launcher.stopping import Step, StopLadder


def test_the_barrier_opens_when_everyone_has_come() -> None:
    barrier = Barrier(["b", "a"], now=0.0, timeout=120.0)
    assert (barrier.awaited, barrier.is_open) == (("b", "a"), False)
    barrier.arrived("b", now=1.0)
    barrier.arrived("b", now=2.0)
    barrier.arrived("stranger", now=2.0)
    assert barrier.awaited == ("a",)
    barrier.arrived("a", now=3.0)
    assert barrier.is_open


def test_the_barrier_of_no_nodes_is_open() -> None:
    assert Barrier([], now=0.0, timeout=1.0).is_open


def test_the_barrier_tells_after_five_seconds_without_news_and_then_more_rarely() -> None:
    barrier = Barrier(["a", "b"], now=0.0, timeout=120.0)
    assert barrier.next_time() == 5.0
    assert barrier.seconds_to_tell(now=4.9) is None
    barrier.arrived("a", now=4.0)
    assert barrier.seconds_to_tell(now=8.9) is None
    assert barrier.seconds_to_tell(now=9.0) == 5.0
    assert barrier.next_time() == 19.0
    assert barrier.seconds_to_tell(now=18.9) is None
    assert barrier.seconds_to_tell(now=19.0) == 10.0


def test_the_barrier_gives_up_at_its_timeout() -> None:
    barrier = Barrier(["a"], now=100.0, timeout=3.0)
    assert barrier.next_time() == 103.0
    assert (barrier.is_over(102.9), barrier.is_over(103.0)) == (False, True)
    assert [barrier.seconds_left(now) for now in (101.0, 104.0)] == [2.0, 0.0]


def test_the_ladder_goes_from_asking_to_killing_with_a_grace_between() -> None:
    ladder = StopLadder(grace=5.0)
    assert (ladder.step, ladder.deadline, ladder.due(1e9)) == (Step.RUNNING, None, None)
    assert ladder.begin(now=0.0)
    assert not ladder.begin(now=1.0)
    assert ladder.deadline == 5.0
    assert [ladder.due(now) for now in (4.9, 5.0, 5.1, 10.0)] == [None, Step.TERMINATED, None, Step.KILLED]
    assert [ladder.due(now) for now in (14.9, 15.0, 1e9)] == [None, Step.ABANDONED, None]


def test_hurrying_kills_at_once_from_any_step_before() -> None:
    for asked in (False, True):
        ladder = StopLadder(grace=60.0)
        if asked:
            ladder.begin(now=0.0)
        ladder.hurry(now=1.0)
        assert ladder.due(now=1.0) is Step.KILLED


def test_hurrying_again_changes_nothing() -> None:
    ladder = StopLadder(grace=60.0)
    ladder.hurry(now=0.0)
    assert ladder.due(now=0.0) is Step.KILLED
    deadline = ladder.deadline
    ladder.hurry(now=1.0)
    assert (ladder.step, ladder.deadline) == (Step.KILLED, deadline)
