"""What the benchmark's nodes count."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.kinds.throughput import rates
from bench.peers.peer import NODES
from bench.running import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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


class LossyPort:
    """Sends into nothing after a while; `window` is its credit."""

    def __init__(self, seat: Any, loses_from: int, window: int | None) -> None:
        self.seat, self.loses_from, self._window = seat, loses_from, window
        self.sent = 0

    def sender(self, size: int, way: str, mark: Any) -> Any:
        del size, way, mark

        def send() -> None:
            self.sent += 1
            if self.sent <= self.loses_from:
                self.seat.board.put(1, 3, self.sent)

        return send

    def window(self, size: int) -> int | None:
        del size
        return self._window

    def rest(self, seconds: float) -> None:
        del seconds


@pytest.mark.parametrize("window", [None, 2])
def test_a_flood_that_loses_messages_ends_and_is_told(
    roles: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int | None
) -> None:
    seats = importlib.import_module("seat")
    boards = importlib.import_module("board")
    monkeypatch.setattr(roles, "SILENCE", 0.05)
    monkeypatch.setattr(roles, "_greet", lambda *_: None)
    monkeypatch.setattr(roles, "_dismiss", lambda *_: None)
    boards.Board.create(tmp_path / "board", 2)
    settings = {"size": "8", "flood_ms": "50", "ways": "copied,loaned", "sinks": "1"}
    seat = seats.Seat("source", 0, "flooder", tmp_path, boards.Board(tmp_path / "board", 2), settings, None, (1,))
    roles.flooder(seat, LossyPort(seat, 5, window))
    copied, loaned = json.loads((tmp_path / "source.json").read_text())
    assert copied > 5
    assert loaned > 0


def test_a_way_that_lost_messages_leaves_the_other_its_rate() -> None:
    whole, torn = {"received": 9, "wrong": 0, "rate": 3.0}, {"received": 95_811, "wrong": 2, "rate": 7.0}
    with pytest.raises(RunError) as raised:
        rates([9, 96_187], [whole, torn])
    assert str(raised.value) == "loaned: 95,811 of 96,187 messages arrived, 2 not in their place"
    assert [(figure.way, figure.value) for figure in raised.value.figures] == [("copied", 3.0)]
