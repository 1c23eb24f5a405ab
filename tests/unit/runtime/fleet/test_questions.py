"""Requests to other hosts: answered by all, by some, by nobody, or too late."""

from __future__ import annotations

from doraflow_runtime.fleet.questions import MOST, Questions


def test_a_request_is_closed_once_everybody_has_answered() -> None:
    questions, said = Questions(), list[dict[str, str | None]]()
    number = questions.ask(["gpu", "base"], 0.0, 3.0, said.append)
    questions.take(number, "base", "b")
    questions.take(number, "base", "again")
    questions.take(number, "toaster", "not asked")
    questions.take(number + 1, "gpu", "not this one")
    assert said == []
    questions.take(number, "gpu", "g")
    assert said == [{"gpu": "g", "base": "b"}]
    questions.give_up(9.0)
    assert len(said) == 1


def test_a_request_is_closed_with_what_has_come_when_the_time_is_over() -> None:
    questions, said = Questions(), list[dict[str, str | None]]()
    number = questions.ask(["gpu", "base"], 0.0, 3.0, said.append)
    questions.take(number, "gpu", "g")
    questions.give_up(2.9)
    assert said == []
    questions.give_up(3.0)
    questions.take(number, "base", "late")
    assert said == [{"gpu": "g", "base": None}]


def test_a_request_to_nobody_is_answered_at_once() -> None:
    said = list[dict[str, str | None]]()
    Questions().ask([], 0.0, 3.0, said.append)
    assert said == [{}]


def test_not_more_than_so_many_wait_and_all_are_closed_in_the_end() -> None:
    questions, said = Questions(), list[dict[str, str | None]]()
    for _ in range(MOST):
        assert not questions.is_full
        questions.ask(["gpu"], 0.0, 3.0, said.append)
    assert questions.is_full
    questions.end()
    assert said == [{"gpu": None}] * MOST
