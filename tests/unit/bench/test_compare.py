"""The comparison: no fault of a peer costs another one its figures, and one that was cut short is gone on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bench.compare import GIVEN_UP, OtherResultsError, compare
from bench.kinds.case import Case, Figure
from bench.results import Results, read
from bench.running import Command, RunError
from bench.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.flow import Flow
    from bench.kinds.case import Start


@dataclass
class FakePeer:
    """A peer that is never started."""

    name: str
    version: str = "1"
    configured: str = ""

    def prepare(self) -> str:
        return self.version

    def refuses(self, kind: str) -> str | None:
        del kind
        return None

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        raise NotImplementedError


@dataclass
class FakeKind:
    """A kind that gives the next of its outcomes for each run."""

    outcomes: list[float | BaseException]
    made: list[str] = field(default_factory=list)

    def cases(self, settings: Settings) -> list[Case]:
        del settings
        return [Case("latency", 8)]

    def measure(self, start: Start, case: Case, settings: Settings) -> list[Figure]:
        del case, settings
        self.made.append(start.args[0].name)  # type: ignore[attr-defined] - a partial, as `compare` makes it
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return [Figure("copied", "p50", "µs", outcome)]


def play(
    kind: FakeKind, rounds: int, *names: str, earlier: Results | None = None, kept: list[str] | None = None
) -> Results:
    peers = {name: FakePeer(name) for name in names or ("one", "two")}
    keep = [] if kept is None else kept
    return compare(
        peers,
        {"latency": kind},
        Settings(rounds=rounds),
        lambda _: None,
        lambda results: keep.append(results.text()),
        earlier,
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RunError("ended with exit code 3"), "ended with exit code 3"),
        (KeyError("sink"), "KeyError: 'sink'"),
        (IndexError("list index out of range"), "IndexError: list index out of range"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_a_peer_does_the_others_and_the_next_rounds_go_on(error: Exception, told: str) -> None:
    kind = FakeKind([1.0, error, 2.0, 20.0])
    results = play(kind, 2)
    assert {row.peer: row.rounds for row in results.rows} == {"one": (1.0, 2.0), "two": (20.0,)}
    ((peer, number, reason),) = [(one.peer, one.round, one.reason) for one in results.failures]
    assert (peer, number, reason) == ("two", 1, told)


def test_a_run_that_fails_in_part_keeps_its_other_figures() -> None:
    half = RunError("loaned: 1 of 2 messages arrived", [Figure("copied", "rate", "msg/s", 5.0)])
    results = play(FakeKind([half]), 1, "one")
    assert [row.rounds for row in results.rows] == [(5.0,)]
    assert [failure.short for failure in results.failures] == ["loaned: 1 of 2 messages arrived"]


def test_a_case_that_only_fails_is_given_up_and_one_that_gave_a_figure_is_not() -> None:
    kind = FakeKind([RunError("no")] * 5)
    assert len(play(kind, 5, "one").failures) == len(kind.made) == GIVEN_UP
    kind = FakeKind([1.0, *[RunError("no")] * 4])
    assert len(play(kind, 5, "one").failures) == 4


def test_a_comparison_that_was_cut_short_goes_on_where_it_stopped(tmp_path: Path) -> None:
    kept: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        play(FakeKind([1.0, 10.0, 2.0, KeyboardInterrupt()]), 2, kept=kept)
    (tmp_path / "cut.json").write_text(kept[-1], encoding="utf-8")
    kind = FakeKind([20.0])
    results = play(kind, 2, earlier=read(tmp_path / "cut.json"))
    assert kind.made == ["two"]
    assert {row.peer: row.rounds for row in results.rows} == {"one": (1.0, 2.0), "two": (10.0, 20.0)}


def test_rounds_are_added_to_a_comparison_that_is_complete(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(play(FakeKind([1.0]), 1, "one").text(), encoding="utf-8")
    kind = FakeKind([2.0, 3.0])
    results = play(kind, 3, "one", earlier=read(tmp_path / "one.json"))
    assert [row.rounds for row in results.rows] == [(1.0, 2.0, 3.0)]
    assert results.settings["rounds"] == 3


def test_results_of_other_peers_are_not_gone_on_with() -> None:
    earlier = play(FakeKind([1.0]), 1, "one")
    with pytest.raises(OtherResultsError, match=r"^the versions differ in `two`$"):
        play(FakeKind([1.0]), 1, "one", "two", earlier=earlier)
    earlier.settings["messages"] = 1
    with pytest.raises(OtherResultsError, match=r"^the settings differ in `messages`$"):
        play(FakeKind([1.0]), 1, "one", earlier=earlier)
