"""Inputs with a timeout: armed by a message, told once, never for a timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest
from doraflow_runtime.contract import InputWiring
from doraflow_runtime.node_api.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 1_000_000_000
Make: TypeAlias = "Callable[[list[InputWiring]], Deadlines]"


@pytest.fixture(params=["python", "compiled"])
def make(request: pytest.FixtureRequest) -> Make:
    """The class of each twin."""
    if request.param == "compiled":
        core = pytest.importorskip("doraflow_core", reason="the core is not built: `doit core`")
        return core.Deadlines  # type: ignore[no-any-return]
    return Deadlines


def test_an_input_is_overdue_once_after_its_last_message(make: Make) -> None:
    deadlines = make([InputWiring("a", "x/a", timeout=2.0), InputWiring("b", "x/b", timeout=5.0)])
    assert deadlines.overdue(100 * SECOND) == []
    deadlines.arm("a", 100 * SECOND)
    deadlines.arm("b", 100 * SECOND)
    assert deadlines.overdue(102 * SECOND) == []
    deadlines.arm("a", 102 * SECOND)
    assert deadlines.overdue(104 * SECOND + 1) == ["a"]
    assert deadlines.overdue(104 * SECOND + 2) == []
    assert deadlines.overdue(105 * SECOND + 1) == ["b"]


def test_the_wait_ends_just_when_the_next_deadline_is_over(make: Make) -> None:
    deadlines = make([InputWiring("a", "x/a", timeout=2.0)])
    assert deadlines.wait_seconds(0) is None
    deadlines.arm("a", 0)
    wait = deadlines.wait_seconds(SECOND)
    assert wait is not None
    assert deadlines.overdue(SECOND + round(wait * SECOND)) == ["a"]
    assert deadlines.wait_seconds(9 * SECOND) is None


def test_a_timer_and_an_input_without_a_timeout_have_no_deadline(make: Make) -> None:
    timer = InputWiring("t", "dora/timer/secs/1", interval_ns=SECOND, timeout=1.0)
    deadlines = make([timer, InputWiring("a", "x/a")])
    assert not deadlines.has("t")
    assert not deadlines.has("a")


def test_a_closed_input_is_expected_no_more(make: Make) -> None:
    deadlines = make([InputWiring("a", "x/a", timeout=2.0)])
    deadlines.arm("a", 0)
    deadlines.disarm("a")
    deadlines.disarm("a")
    assert deadlines.overdue(9 * SECOND) == []


def test_an_input_without_a_timeout_cannot_be_armed(make: Make) -> None:
    with pytest.raises(KeyError):
        make([InputWiring("a", "x/a")]).arm("a", 0)


def test_inputs_that_are_overdue_together_are_told_in_their_order(make: Make) -> None:
    deadlines = make([InputWiring(name, f"x/{name}", timeout=1.0) for name in "abc"])
    for name in "cab":
        deadlines.arm(name, 0)
    assert deadlines.overdue(2 * SECOND) == ["a", "b", "c"]
