"""Near misses: which of the known names a misspelt one was meant to be, and how to list the choices in a message.

Every stage uses these two functions, so that all messages suggest alike. Nothing here adds a diagnostic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CHOICES = 12
SHORTEST_STEM = 3


def nearest(name: str, choices: Sequence[str]) -> list[str]:
    """Return the choices that `name` may be a misspelling of, nearest first; equally near ones in the given order.

    Case, and `-` or a space for `_`, count as no difference. Up to a third of the letters may differ; a choice that
    `name` shortens or lengthens is near as well.

    >>> nearest("ouputs", ["inputs", "outputs", "path"])
    ['outputs', 'inputs']
    >>> nearest("colour", ["path", "args"])
    []
    """
    wanted = _folded(name)
    bound = max(1, (len(wanted) + 1) // 3)
    near = []
    for position, choice in enumerate(choices):
        known = _folded(choice)
        distance = bound if _extends(wanted, known) else bound + 1
        distance = min(distance, _distance(wanted, known, bound))
        if distance <= bound:
            near.append((distance, position, choice))
    return [choice for _, _, choice in sorted(near)]


def choices_text(name: str, choices: Sequence[str], most: int = MOST_CHOICES) -> str:
    """List `choices` for a message, those near to `name` first, in backticks; at most `most` of them are written out.

    >>> choices_text("imgae", ["depth", "image"])
    '`image`, `depth`'
    >>> choices_text("x", [])
    'none'
    """
    if not choices:
        return "none"
    first = nearest(name, choices)
    ordered = [*first, *(choice for choice in choices if choice not in first)]
    written = ", ".join(f"`{choice}`" for choice in ordered[:most])
    left = len(ordered) - most
    return f"{written} and {left} more" if left > 0 else written


def _folded(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _extends(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) >= SHORTEST_STEM and long.startswith(short)


def _distance(first: str, second: str, bound: int) -> int:
    """Count the edits (insert, delete, replace, swap of neighbours) between two words; above `bound` any larger number.

    This is the restricted Damerau-Levenshtein distance.
    """
    if abs(len(first) - len(second)) > bound:
        return bound + 1
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
    return row[-1]
