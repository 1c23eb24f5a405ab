"""Near misses and lists of choices."""

import pytest

from doraflow.parser.suggest import choices_text, nearest


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
