"""Which output types may feed which input types, and what keeps two structs apart.

The rules are dora's: one type with agreeing parameters, a chain of at most three widenings or rules of the user, and
anything into `Bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.analysis.standard_types import ANY_SINK, WIDENINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doraflow_runtime.contract import DataType

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


def difference(sent: DataType | None, expected: DataType | None) -> str | None:
    """Say what the struct `expected` has that the struct `sent` has not; None if nothing, or if one is no struct.

    More members than expected are no difference, nor is their order.
    """
    if not isinstance(sent, Struct) or not isinstance(expected, Struct):
        return None
    given = {member.name: member.type for member in sent.fields}
    for member in expected.fields:
        if member.name not in given:
            return f"`{sent.urn}` has no member `{member.name}`"
        if given[member.name] != member.type:
            here, there = type_text(given[member.name]), type_text(member.type)
            return f"the member `{member.name}` is {here} in `{sent.urn}` and {there} in `{expected.urn}`"
    return None


def type_text(data_type: DataType) -> str:
    """Write an Arrow type as a type file names it, in backticks.

    >>> type_text(ListOf(Scalar("Float32")))
    '`List<Float32>`'
    """
    match data_type:
        case Scalar(name):
            return f"`{name}`"
        case ListOf(item):
            return f"`List<{type_text(item)[1:-1]}>`"
        case Struct(urn):
            return f"`{urn}`"
