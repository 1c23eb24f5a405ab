"""The bounds against files that are made to exhaust a reader."""

import time
from collections.abc import Callable

import pytest

Findings = Callable[[str], list[str]]


def bomb(levels: int, width: int) -> str:
    lines = ["env:", f"  k0: &l0 [{', '.join(['lol'] * width)}]"]
    lines += [f"  k{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def test_an_alias_bomb_is_found_at_the_map_that_holds_it(composed: Findings) -> None:
    assert composed(bomb(9, 9)) == ["DF009 2:3-5 the aliases in this map expand to more than 100000 values"]


def test_an_alias_bomb_is_found_without_expanding_it(composed: Findings) -> None:
    begin = time.process_time()
    composed(bomb(5000, 9))
    assert time.process_time() - begin < 2


def test_modest_use_of_aliases_is_allowed(composed: Findings) -> None:
    assert composed(bomb(4, 9)) == []


def test_many_aliases_of_one_long_value_are_found(composed: Findings) -> None:
    text = "a: &a [" + "1, " * 1000 + "]\nb:\n" + "  - *a\n" * 101
    assert composed(text) == ["DF009 1:1-2 the aliases in this map expand to more than 100000 values"]


def test_an_alias_cannot_stand_inside_the_value_that_it_names(composed: Findings) -> None:
    assert composed("a: &a [1, *a]\n") == ["DF009 1:11-13 the alias `*a` stands inside the value that it names"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_anything_overflows(composed: Findings, opening: str) -> None:
    [found] = composed("a:\n  " + opening * 100_000)
    assert found.startswith("DF010 2:")
    assert found.endswith("the values nest more than 64 deep")


def test_nesting_up_to_the_bound_is_allowed(composed: Findings) -> None:
    assert composed("a: " + "[" * 63 + "]" * 63) == []
    assert composed("a: " + "[" * 64 + "]" * 64) == ["DF010 1:67-68 the values nest more than 64 deep"]


def test_aliases_count_towards_the_depth(composed: Findings) -> None:
    text = "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 30 + "*a" + "]" * 30
    assert composed(text) == ["DF010 2:34-36 the alias `*a` makes the values nest more than 64 deep"]
