"""Which output types may feed which input types.

The rules are dora's: one type with agreeing parameters, a chain of at most three widenings or rules of the user, and
anything into `Bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.standard_types import ANY_SINK, WIDENINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doraflow.analysis.type_names import TypeName

MOST_STEPS = 3


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The steps from each type to the types it widens to."""

    steps: Mapping[str, tuple[str, ...]]

    def fits(self, sent: TypeName, expected: TypeName) -> bool:
        """Tell whether an output of type `sent` may feed an input of type `expected`."""
        if expected.base == ANY_SINK:
            return True
        if sent.base == expected.base:
            return sent.agrees_with(expected)
        reached = {sent.base}
        front = {sent.base}
        for _ in range(MOST_STEPS):
            front = {target for base in front for target in self.steps.get(base, ())} - reached
            reached |= front
        return expected.base in reached


def compatibility(rules: Iterable[tuple[str, str]]) -> Compatibility:
    """Make the table of the built-in widenings and the user's `rules`, each a pair of URNs."""
    steps: dict[str, tuple[str, ...]] = {}
    for source, target in (*WIDENINGS, *rules):
        steps[source] = (*steps.get(source, ()), target)
    return Compatibility(steps)
