"""Quick fixes: the exact edits that findings come with, as an editor offers them.

Only a finding whose `replacement` says what to write has one; nothing is guessed from the words of a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.editor.rename import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow.diagnostics import Diagnostic
    from doraflow.editor.positions import Place


@dataclass(frozen=True, slots=True)
class Fix:
    """A quick fix for a finding."""

    title: str
    finding: Diagnostic
    edit: Edit


def fixes(file: str, start: Place, end: Place, findings: Iterable[Diagnostic]) -> list[Fix]:
    """List the fixes of the findings that touch a stretch of a file."""
    return [
        Fix(f"Write `{finding.replacement}`", finding, Edit(finding.span, finding.replacement))
        for finding in findings
        if finding.replacement is not None
        and finding.span is not None
        and finding.span.file == file
        and (finding.span.line, finding.span.column) <= (end.line, end.column)
        and (start.line, start.column) <= (finding.span.end_line, finding.span.end_column)
    ]
