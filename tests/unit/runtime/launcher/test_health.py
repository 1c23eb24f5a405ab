"""Who has hung: looked at when it is due, and only those that are watched."""

from __future__ import annotations

from doraflow_runtime.launcher.health import Health, sign_seconds


def test_a_node_that_shows_signs_of_life_is_well() -> None:
    health = Health(interval=1.0)
    health.watch("a", 2.0, now=0.0)
    for second in range(1, 10):
        health.heard("a", float(second))
        assert health.silent(float(second)) == ()


def test_a_silent_node_is_told_once_at_the_next_look() -> None:
    health = Health(interval=5.0)
    health.watch("a", 2.0, now=0.0)
    health.watch("b", 8.0, now=0.0)
    assert health.next_time == 5.0
    assert health.silent(4.9) == ()
    assert health.silent(5.0) == (("a", 5.0),)
    assert health.silent(10.0) == (("b", 10.0),)
    assert health.silent(15.0) == ()
    assert health.next_time is None


def test_silence_of_just_the_timeout_is_allowed() -> None:
    health = Health(interval=1.0)
    health.watch("a", 2.0, now=0.0)
    assert health.silent(2.0) == ()
    assert health.silent(3.0) == (("a", 3.0),)


def test_a_node_without_a_timeout_or_that_was_forgotten_is_not_watched() -> None:
    health = Health(interval=1.0)
    health.watch("a", 0.0, now=0.0)
    health.watch("b", 1.0, now=0.0)
    health.forget("b")
    health.forget("nobody")
    health.heard("b", 5.0)
    assert (health.next_time, health.silent(99.0)) == (None, ())


def test_the_look_is_a_whole_interval_after_the_first_node_came() -> None:
    health = Health(interval=5.0)
    health.watch("a", 1.0, now=100.0)
    assert health.next_time == 105.0


def test_a_node_shows_its_life_several_times_within_its_timeout() -> None:
    assert [sign_seconds(timeout) for timeout in (0.0, 0.001, 2.0, 60.0)] == [0.0, 0.01, 0.5, 15.0]
