"""The benchmark's figures: medians, ratios, and the file that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.kinds.case import Case, Figure, percentile, percentiles
from bench.results import Failure, Results, read
from bench.words import columns, figure, missing, number, size

if TYPE_CHECKING:
    from pathlib import Path


def results() -> Results:
    made = Results(settings={"rounds": 3}, versions={"doraflow": "doraflow 1", "dora": "dora-rs 1"})
    for ours, theirs in ((10.0, 50.0), (20.0, 40.0), (90.0, 30.0)):
        case = Case("latency", 8)
        made.add("doraflow", case, [Figure("copied", "p50", "µs", ours)])
        made.add("dora", case, [Figure("copied", "p50", "µs", theirs)])
    return made


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_is_the_nearest_rank_in_microseconds(share: float, expected: float) -> None:
    assert percentile([1000 * value for value in range(100, 0, -1)], share) == expected


def test_percentiles_of_one_value_are_that_value() -> None:
    assert [figure.value for figure in percentiles("copied", [7000])] == [7.0, 7.0]


def test_the_rounds_of_a_figure_are_kept_in_one_row_for_each_peer() -> None:
    ours, theirs = results().rows
    assert (ours.peer, ours.rounds, ours.median) == ("doraflow", (10.0, 20.0, 90.0), 20.0)
    assert (theirs.peer, theirs.rounds, theirs.median) == ("dora", (50.0, 40.0, 30.0), 40.0)


def test_a_ratio_is_of_medians_to_those_of_doraflow() -> None:
    made = results()
    assert [made.ratio(row) for row in made.rows] == [1.0, 2.0]


def test_a_row_that_doraflow_has_not_has_no_ratio() -> None:
    made = Results()
    made.add("floor", Case("latency", 8), [Figure("copied", "p50", "µs", 1.0)])
    assert made.ratio(made.rows[0]) is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = results()
    made.absent["zenoh"] = "no wheel"
    made.failures.append(Failure("dora", "many", 0, 100, 1, "had not ended after 120 s"))
    (tmp_path / "out.json").write_text(made.text(), encoding="utf-8")
    assert read(tmp_path / "out.json") == made


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (0.01234, "0.0123"), (1.5, "1.5"), (12.34, "12.3"), (99.96, "100.0"), (1234567.0, "1,234,567")],
)
def test_a_figure_is_told_with_about_three_digits(value: float, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(8, "8 B"), (512, "512 B"), (40_960, "40 KB"), (41_943_040, "40 MB"), (1500, "1.46 KB")]
)
def test_a_size_is_told_in_its_largest_unit(count: int, expected: str) -> None:
    assert size(count) == expected


def test_a_case_that_failed_is_told_in_its_cell_and_one_that_was_not_asked_for_is_not() -> None:
    made = results()
    made.versions["zenoh"] = "zenoh 1"
    made.versions["floor"] = "cc"
    made.failures.append(Failure("zenoh", "latency", 8, 0, 1, "copied: 1 of 2 messages arrived\nmore of it"))
    assert columns(made, "latency") == ["doraflow", "dora", "zenoh"]
    key = made.rows[0].key
    assert [missing(made, peer, key) for peer in ("zenoh", "floor")] == ["failed", "-"]
    assert made.failures[0].short == "copied: 1 of 2 messages arrived"


def test_several_rounds_are_told_with_their_spread() -> None:
    assert [figure(row) for row in results().rows] == ["20.0 (10.0-90.0)", "40.0 (30.0-50.0)"]
