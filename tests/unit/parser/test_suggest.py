"""Near misses and lists of choices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.parser import suggest
from doraflow.parser.suggest import MOST_COMPARED, Choices, choices_text, nearest


@pytest.mark.parametrize(
    ("name", "choices", "expected"),
    [
        ("ouputs", ["id", "inputs", "outputs"], ["outputs", "inputs"]),
        ("queue-size", ["queue_size", "queue_policy"], ["queue_size"]),
        ("QueueSize", ["queue_size"], ["queue_size"]),
        ("imgae", ["depth", "image"], ["image"]),
        ("pth", ["path", "args"], ["path"]),
        ("warning", ["info", "warn", "error"], ["warn"]),
        ("err", ["info", "warn", "error"], ["error"]),
        ("in", ["inputs"], []),
        ("b", ["a", "c"], ["a", "c"]),
        ("colour", ["path", "args"], []),
        ("", ["id"], []),
        ("x", [], []),
    ],
)
def test_the_nearest_choices_come_first_and_far_ones_not_at_all(
    name: str, choices: list[str], expected: list[str]
) -> None:
    assert nearest(name, choices) == expected


def test_a_swap_of_neighbours_counts_as_one_edit() -> None:
    assert nearest("ab", ["ba"]) == ["ba"]
    assert nearest("ab", ["xy"]) == []


def test_choices_are_listed_nearest_first_and_cut_with_a_count() -> None:
    assert choices_text("deptj", ["image", "depth", "pose"]) == "`depth`, `image`, `pose`"
    assert choices_text("x", ["one", "two", "three"], most=2) == "`one`, `two` and 1 more"
    assert choices_text("x", []) == "none"


WORDS = st.text("ab_-Z", max_size=6)


@settings(deadline=None)
@given(WORDS, st.lists(WORDS, unique=True, max_size=8))
def test_a_list_of_choices_is_compared_as_a_whole(name: str, choices: list[str]) -> None:
    assert [choice for _, _, choice in sorted(Choices(tuple(choices)).ranked(name))] == nearest(name, choices)


@settings(deadline=None)
@given(WORDS, st.lists(WORDS, unique=True, max_size=8))
def test_in_a_long_list_what_is_one_edit_away_is_found(name: str, choices: list[str]) -> None:
    names = (*choices, *(f"filler_{number}" for number in range(MOST_COMPARED)))
    wanted = suggest._folded(name)
    distances = [(suggest._distance(wanted, suggest._folded(choice), 1), at, choice) for at, choice in enumerate(names)]
    assert sorted(Choices(names).ranked(name)) == [each for each in sorted(distances) if each[0] <= 1]


@settings(deadline=None)
@given(WORDS, WORDS, st.integers(0, 4))
def test_a_distance_above_the_bound_is_only_known_to_be_above(first: str, second: str, bound: int) -> None:
    exact = suggest._distance(first, second, 99)
    assert exact == suggest._distance(second, first, 99)
    found = suggest._distance(first, second, bound)
    assert found == exact if exact <= bound else found > bound
