"""What the benchmark's nodes count."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from bench.peers.peer import NODES

if TYPE_CHECKING:
    from collections.abc import Iterable

MILLISECOND = 1_000_000


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(NODES))  # the nodes' modules lie beside each other, as in a bundle
    return importlib.import_module("roles")


def flood(roles: Any, moments: Iterable[int], stopped: int = 0) -> Any:
    made = roles.Flood()
    for place, moment in enumerate(moments, 1):
        made.count(moment * MILLISECOND, place, 100 * MILLISECOND, stopped and stopped * (moment >= stopped))
    return made


def test_a_rate_leaves_the_first_moments_out(roles: Any) -> None:
    # A burst in the first 100 ms, then one message each 10 ms.
    assert flood(roles, [1, *range(2, 101), *range(110, 1000, 10)]).rate() == pytest.approx(100, rel=0.01)


def test_a_rate_leaves_out_what_came_after_the_sending(roles: Any) -> None:
    assert flood(roles, [1, *range(110, 510, 10), *range(510, 600)], stopped=505).rate() == pytest.approx(100, rel=0.3)


def test_a_flood_that_arrives_at_once_has_the_rate_of_all_its_messages(roles: Any) -> None:
    assert flood(roles, range(10, 18)).rate() == pytest.approx(1000)


def test_a_single_message_has_no_rate(roles: Any) -> None:
    assert flood(roles, [10]).rate() == 0.0


def test_a_message_out_of_its_place_is_wrong(roles: Any) -> None:
    made = roles.Flood()
    for place in (1, 3, 2):
        made.count(place, place, 0, 0)
    assert (made.received, made.wrong) == (3, 2)
