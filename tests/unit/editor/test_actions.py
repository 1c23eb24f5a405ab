"""Quick fixes."""

from __future__ import annotations

from doraflow.diagnostics import Diagnostic, Severity, Span
from doraflow.editor.actions import fixes
from doraflow.editor.positions import Place
from doraflow.editor.rename import Edit

SPAN = Span("a.yml", 3, 5, 3, 9)
FIXABLE = Diagnostic("DF101", Severity.ERROR, "a node has no key `ouputs`", SPAN, replacement="outputs")


def test_a_finding_with_a_replacement_has_a_fix() -> None:
    (fix,) = fixes("a.yml", Place(3, 7), Place(3, 7), [FIXABLE])
    assert (fix.title, fix.finding, fix.edit) == ("Write `outputs`", FIXABLE, Edit(SPAN, "outputs"))


def test_other_findings_and_other_places_have_none() -> None:
    bare = Diagnostic("DF101", Severity.ERROR, "a node has no key `ouputs`", SPAN, help="write `outputs`")
    assert fixes("a.yml", Place(3, 7), Place(3, 7), [bare]) == []
    assert fixes("b.yml", Place(3, 7), Place(3, 7), [FIXABLE]) == []
    assert fixes("a.yml", Place(4, 1), Place(5, 1), [FIXABLE]) == []
    assert len(fixes("a.yml", Place(1, 1), Place(9, 1), [FIXABLE])) == 1
