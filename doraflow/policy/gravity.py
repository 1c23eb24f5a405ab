"""Which findings a user may overrule: those after which a bundle can still be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Severity

if TYPE_CHECKING:
    from doraflow.diagnostics import Diagnostic

JUDGEMENTS = frozenset({"DF202", "DF206", "DF301", "DF302", "DF303", "DF304", "DF305", "DF501"})
"""Codes whose errors leave a graph that can be built: what is wrong stays in the annotations, or names a host."""

FATAL = frozenset(
    f"DF{number:03}"
    for numbers in (
        range(1, 13),
        range(102, 113),
        (110, 115, 120, 121, 201, 204, 205, 502, 601, 604, 605, 701, 703),
    )
    for number in numbers
)
"""Codes that are raised as errors only, and leave no bundle. Of other codes each finding is judged by itself."""


def may_be_overruled(diagnostic: Diagnostic) -> bool:
    """Tell whether a finding, as the compiler judged it, may be ignored or made less grave."""
    return diagnostic.severity is not Severity.ERROR or diagnostic.code in JUDGEMENTS
