"""Near misses: which of the known names a misspelt one was meant to be, and how to list the choices in a message.

Every stage uses these functions, so that all messages suggest alike. Nothing here adds a diagnostic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_CHOICES = 12
SHORTEST_STEM = 3
MOST_COMPARED = 400
"""How many choices are compared with a name one by one; among more only those one edit away are near."""

LONGEST_COMPARED = 100
"""Letters of the longest name that is compared with others: the price of comparing grows with their square."""
MOST_STEPS = 3_000_000
"""How many pairs of letters are compared for one list of choices; who misspells them all needs no more guesses."""

Ranked: TypeAlias = "list[tuple[int, int, str]]"
"""Near choices with their distance and their position among all."""


def nearest(name: str, choices: Sequence[str]) -> list[str]:
    """Return the choices that `name` may be a misspelling of, nearest first; equally near ones in the given order.

    Case, and `-` or a space for `_`, count as no difference. Up to a third of the letters may differ; a choice that
    `name` shortens or lengthens is near as well.

    >>> nearest("ouputs", ["inputs", "outputs", "path"])
    ['outputs', 'inputs']
    >>> nearest("colour", ["path", "args"])
    []
    """
    return [choice for _, _, choice in sorted(_compared(name, choices))]


def choices_text(name: str, choices: Sequence[str], most: int = MOST_CHOICES) -> str:
    """List `choices` for a message, those near to `name` first, in backticks; at most `most` of them are written out.

    >>> choices_text("imgae", ["depth", "image"])
    '`image`, `depth`'
    >>> choices_text("x", [])
    'none'
    """
    return listed(nearest(name, choices), choices, len(choices), most) if choices else "none"


def listed(near: Sequence[str], choices: Iterable[str], count: int, most: int = MOST_CHOICES) -> str:
    """List `near`, then the rest of `choices`, of which there are `count` in all; at most `most` are written out."""
    known = frozenset(near)
    ordered = chain(near, (choice for choice in choices if choice not in known))
    written = ", ".join(f"`{choice}`" for choice in islice(ordered, most))
    return f"{written} and {count - most} more" if count > most else written


@dataclass(frozen=True, slots=True)
class Choices:
    """Names that many others are compared with: as `nearest` does, but for a long list at a cost that stays small."""

    names: tuple[str, ...]
    _by_part: dict[str, list[int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _steps: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    def ranked(self, name: str) -> Ranked:
        """List the near choices, in no order."""
        if len(self.names) <= MOST_COMPARED and self._may_compare(name):
            return _compared(name, self.names)
        if len(name) > LONGEST_COMPARED:
            return []
        if not self._by_part:
            for position, choice in enumerate(self.names):
                if len(choice) > LONGEST_COMPARED:
                    continue
                for part in _parts(_folded(choice)):
                    self._by_part.setdefault(part, []).append(position)
        wanted = _folded(name)
        positions = {position for part in _parts(wanted) for position in self._by_part.get(part, ())}
        distances = ((_distance(wanted, _folded(self.names[position]), 1), position) for position in positions)
        return [(distance, position, self.names[position]) for distance, position in distances if distance <= 1]

    def _may_compare(self, name: str) -> bool:
        """Tell whether a name may be compared with all the others, and keep count of what that takes."""
        if not self._steps:
            self._steps.extend([0, sum(min(len(choice), LONGEST_COMPARED) for choice in self.names)])
        self._steps[0] += self._steps[1] * min(len(name), LONGEST_COMPARED)
        return self._steps[0] <= MOST_STEPS

    def near(self, name: str) -> list[str]:
        """List the near choices, nearest first."""
        return [choice for _, _, choice in sorted(self.ranked(name))]

    def text(self, near: Sequence[str]) -> str:
        """List the choices for a message, `near` first."""
        return listed(near, self.names, len(self.names)) if self.names else "none"


def _parts(word: str) -> Iterator[str]:
    """Give a word and what is left of it without one letter: words one edit apart share one of these."""
    yield word
    for position in range(len(word)):
        yield word[:position] + word[position + 1 :]


def _compared(name: str, choices: Sequence[str]) -> Ranked:
    if len(name) > LONGEST_COMPARED:
        return []
    wanted = _folded(name)
    letters = frozenset(wanted)
    bound = max(1, (len(wanted) + 1) // 3)
    near = []
    for position, choice in enumerate(choices):
        if len(choice) > LONGEST_COMPARED:
            continue
        known = _folded(choice)
        if _extends(wanted, known):
            distance = min(bound, _distance(wanted, known, bound))
        elif abs(len(wanted) - len(known)) > bound or len(letters.difference(known)) > bound:
            continue  # an edit takes away one letter at most
        else:
            distance = _distance(wanted, known, bound)
        if distance <= bound:
            near.append((distance, position, choice))
    return near


def _folded(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _extends(first: str, second: str) -> bool:
    short, long = (first, second) if len(first) <= len(second) else (second, first)
    return len(short) >= SHORTEST_STEM and long.startswith(short)


def _distance(first: str, second: str, bound: int) -> int:
    """Count the edits (insert, delete, replace, swap of neighbours) between two words; above `bound` any larger number.

    This is the restricted Damerau-Levenshtein distance.
    """
    if abs(len(first) - len(second)) > bound:
        return bound + 1
    first, second = _without_common_ends(first, second)
    before: list[int] = []
    above: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        before, above, row = above, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > bound and min(above) > bound:
            return bound + 1
    return row[-1]


def _without_common_ends(first: str, second: str) -> tuple[str, str]:
    """Take off what both words begin and end with, which needs no edit."""
    shorter = min(len(first), len(second))
    start = 0
    while start < shorter and first[start] == second[start]:
        start += 1
    end = 0
    while end < shorter - start and first[-1 - end] == second[-1 - end]:
        end += 1
    return first[start : len(first) - end], second[start : len(second) - end]
