"""Queues, timers and the tables of the protocol, without processes."""

from __future__ import annotations

from typing import Protocol

import pytest
from doraflow_runtime.contract import InputWiring
from doraflow_runtime.node_api.queues import Queues
from doraflow_runtime.node_api.timers import Timers
from doraflow_runtime.protocol import NODE_TRANSITIONS, InputState, NodeEvent, NodeState, all_closed, next_state
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000


class Make(Protocol):
    def __call__(self, *inputs: InputWiring, clocks: bool = False) -> tuple[Queues[int], list[int]]: ...


@pytest.fixture(params=["python", "compiled"], scope="module")
def queues(request: pytest.FixtureRequest) -> Make:
    """Makes queues of each twin, with a list of what they drop."""
    if request.param == "compiled":
        kind = pytest.importorskip("doraflow_core", reason="the core is not built: `doit core`").Queues
    else:
        kind = Queues

    def make(*inputs: InputWiring, clocks: bool = False) -> tuple[Queues[int], list[int]]:
        dropped: list[int] = []
        return kind(inputs, dropped.append, timers_are_clocks=clocks), dropped

    return make


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers()), max_size=60), st.integers(1, 5))
def test_drop_oldest_keeps_the_newest_in_order_of_arrival(
    queues: Make, arrivals: list[tuple[str, int]], size: int
) -> None:
    made, dropped = queues(InputWiring("a", "x", size), InputWiring("b", "y", size))
    for name, item in arrivals:
        made.put(name, item)
    taken = []
    while (item := made.take()) is not None:
        taken.append(item)
    kept = sorted([at for name in "ab" for at in [at for at, one in enumerate(arrivals) if one[0] == name][-size:]])
    assert taken == [arrivals[at] for at in kept]
    assert len(dropped) == len(arrivals) - len(taken) == sum(made.dropped().values())


def test_a_queue_that_holds_back_never_drops(queues: Make) -> None:
    made, dropped = queues(InputWiring("a", "x", 1, "backpressure"))
    for item in range(5):
        made.put("a", item)
    assert [made.take() for _ in range(5)] == [("a", item) for item in range(5)]
    assert not dropped


def test_ticks_are_dropped_whatever_the_policy(queues: Make) -> None:
    made, dropped = queues(InputWiring("tick", "t", 2, "backpressure", interval_ns=SECOND))
    for item in range(5):
        made.put("tick", item)
    assert dropped == [0, 1, 2]


def test_flush_empties_the_queue_of_its_input_alone(queues: Make) -> None:
    made, dropped = queues(InputWiring("a", "x"), InputWiring("b", "y"))
    made.put("a", 1)
    made.put("b", 2)
    made.put("a", 3, flush=True)
    assert (made.take(), made.take(), dropped) == (("b", 2), ("a", 3), [1])


def test_an_input_is_closed_once_after_its_last_message(queues: Make) -> None:
    made, _ = queues(InputWiring("a", "x"), InputWiring("b", "y"))
    made.put("a", 1)
    made.close("a")
    assert made.take_closed() is None
    made.take()
    assert (made.take_closed(), made.take_closed()) == ("a", None)
    assert not made.are_all_closed()
    made.close("b")
    made.take_closed()
    assert made.are_all_closed()


@pytest.mark.parametrize(
    ("states", "has_timer", "clocks", "expected"),
    [
        ((), False, False, False),
        ((), True, True, False),
        ((InputState.CLOSED,), False, False, True),
        ((InputState.CLOSED,), True, False, False),
        ((InputState.CLOSED,), True, True, True),
        ((InputState.CLOSED, InputState.DRAINING), False, True, False),
    ],
)
def test_when_a_node_has_nothing_more_to_expect(
    *, states: tuple[InputState, ...], has_timer: bool, clocks: bool, expected: bool
) -> None:
    assert all_closed(states, has_timer=has_timer, timers_are_clocks=clocks) is expected


def test_every_state_is_in_the_table_and_leads_to_the_end() -> None:
    assert set(NODE_TRANSITIONS) == set(NodeState)
    for state in NodeState:
        reached = {state}
        for _ in NodeState:
            reached |= {next_state(one, event) for one in reached for event in NodeEvent}
        assert NodeState.ENDED in reached


def test_timers_tick_without_drift_and_leave_out_what_was_missed() -> None:
    timers = Timers([InputWiring("slow", "t", 2, interval_ns=SECOND), InputWiring("data", "x")])
    assert timers.wait_seconds(0) is None
    timers.start(0)
    assert timers.wait_seconds(0) == 1.0
    assert timers.due(SECOND - 1) == []
    assert timers.due(SECOND + 300_000_000) == ["slow"]
    assert timers.wait_seconds(SECOND + 300_000_000) == 0.7
    assert timers.due(9 * SECOND) == ["slow", "slow"], "at most a queue's worth"
    assert timers.wait_seconds(9 * SECOND) == 1.0


def test_ticks_of_two_timers_that_were_missed_come_timer_by_timer() -> None:
    timers = Timers([InputWiring("a", "t", interval_ns=3 * SECOND), InputWiring("b", "t", interval_ns=2 * SECOND)])
    timers.start(0)
    assert timers.due(6 * SECOND) == ["b", "b", "b", "a", "a"]
    assert timers.due(6 * SECOND) == []


def test_a_notice_keeps_its_place_among_the_messages_and_is_not_repeated(queues: Make) -> None:
    made, _ = queues(InputWiring("a", "x", 5))
    made.put("a", 1)
    made.announce(10)
    made.announce(10)
    made.put("a", 2)
    made.announce(11)
    made.announce(10)
    assert made.count == 5
    assert [made.take() for _ in range(6)] == [("a", 1), ("", 10), ("a", 2), ("", 11), ("", 10), None]
    assert made.dropped() == {"a": 0}


def test_of_very_many_notices_the_newest_are_kept(queues: Make) -> None:
    made, dropped = queues(InputWiring("a", "x", 5))
    for number in range(1030):
        made.announce(number)
    assert made.count == 1024
    assert made.take() == ("", 6)
    assert dropped == [0, 1, 2, 3, 4, 5]


def test_what_an_earlier_sender_left_does_not_count_against_the_credits_of_the_next(queues: Make) -> None:
    made, dropped = queues(InputWiring("a", "x", 2, "backpressure"))
    made.put("a", 1)
    made.put("a", 2)
    assert made.is_full("a")
    assert not made.begin_again("a")
    assert not made.is_full("a")
    made.put("a", 3)
    made.put("a", 4)
    assert made.is_full("a")
    made.begin_again("a")
    assert dropped == [1, 2]
    assert [made.take() for _ in range(3)] == [("a", 3), ("a", 4), None]


def test_an_input_that_was_closed_opens_for_the_next_life_of_its_sender(queues: Make) -> None:
    made, _ = queues(InputWiring("a", "x"))
    made.close("a")
    assert not made.begin_again("a")
    assert made.take_closed() is None
    made.close("a")
    assert (made.take_closed(), made.are_all_closed()) == ("a", True)
    assert made.begin_again("a")
    assert not made.are_all_closed()


def test_a_silent_input_is_open_to_what_comes_and_closes_without_another_word(queues: Make) -> None:
    made, _ = queues(InputWiring("a", "x"))
    assert not made.recover("a")
    assert made.silence("a")
    assert not made.silence("a")
    assert (made.take_closed(), made.are_all_closed()) == (None, False)
    assert made.recover("a")
    assert made.silence("a")
    made.close("a")
    assert (made.take_closed(), made.are_all_closed()) == (None, True)
