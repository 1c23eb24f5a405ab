"""Where the modules come from in which findings stand: each level of inclusion as a related place.

A stage need not know whether the file that it judges is a module.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doraflow.diagnostics import Diagnostic, Label


def with_provenance(findings: Iterable[Diagnostic], included: Mapping[str, Label]) -> list[Diagnostic]:
    """Add to each finding in a module file where that file is included, innermost first.

    `included` maps the display path of a module file to the first place that includes it.
    """
    return [_with_inclusions(finding, included) if included else finding for finding in findings]


def _with_inclusions(finding: Diagnostic, included: Mapping[str, Label]) -> Diagnostic:
    told = {label.span for label in finding.related}
    found: list[Label] = []
    file = finding.span.file if finding.span is not None else ""
    # A module that includes itself is refused, but its files may still form a ring here.
    while file in included and (label := included[file]) not in found:
        found.append(label)
        file = label.span.file
    new = tuple(label for label in found if label.span not in told)
    return replace(finding, related=(*finding.related, *new)) if new else finding
