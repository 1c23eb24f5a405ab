"""Who is a straggler: nodes that go on when nothing more comes in, and nothing else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.endings import Ending
from doraflow_runtime.launcher.finishing import next_straggler, stragglers
from doraflow_runtime.launcher.members import Member
from doraflow_runtime.launcher.restarts import RestartRules, Restarts
from doraflow_runtime.launcher.stopping import StopLadder

if TYPE_CHECKING:
    from doraflow_runtime.launcher.output import NodeOutput


def member(node: str, drained_at: float | None = None, **keys: object) -> Member:
    made = Member(
        Process(node, "python", finish_grace=cast("float | None", keys.pop("grace", None))),
        group=1,
        output=cast("NodeOutput", None),
        restarts=Restarts(RestartRules(), 0.0),
    )
    made.drained_at = drained_at
    for key, value in keys.items():
        setattr(made, key, value)
    return made


def told(members: list[Member], now: float, grace: float | None = 120.0) -> list[tuple[str, float]]:
    return [(each.node, seconds) for each, seconds in stragglers(members, grace, now)]


def test_a_node_is_a_straggler_when_its_grace_since_its_last_input_is_over() -> None:
    members = [member("source", ending=Ending(0)), member("sink", 10.0)]
    assert next_straggler(members, 120.0) == 130.0
    assert (told(members, 129.9), told(members, 130.0)) == ([], [("sink", 120.0)])


def test_a_grace_of_its_own_is_longer_or_shorter_than_that_of_all() -> None:
    members = [member("trains", 0.0, grace=3600.0), member("brief", 0.0, grace=1.0), member("other", 0.0)]
    assert next_straggler(members, 120.0) == 1.0
    assert told(members, 121.0) == [("brief", 1.0), ("other", 120.0)]


def test_a_grace_of_none_is_for_ever_whatever_a_node_says() -> None:
    members = [member("sink", 0.0, grace=1.0)]
    assert (told(members, 1e9, None), next_straggler(members, None)) == ([], None)


@pytest.mark.parametrize(
    "other",
    [
        member("source"),
        member("held", 0.0, is_paused=True),
        member("returns", ending=Ending(1), restart_at=500.0),
    ],
    ids=lambda each: each.node,
)
def test_nobody_is_a_straggler_while_another_keeps_the_dataflow_going(other: Member) -> None:
    assert told([member("sink", 0.0), other], 1000.0) == []
    assert next_straggler([member("sink", 0.0), other], 120.0) is None


def test_one_that_is_being_ended_already_is_not_ended_twice() -> None:
    assert told([member("sink", 0.0, ladder=StopLadder(5.0)), member("other", 0.0)], 200.0) == [("other", 120.0)]
