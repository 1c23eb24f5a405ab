from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check, Checked


def notes(checked: Checked) -> list[tuple[str, str, str]]:
    return [
        (str(finding.severity), str(finding.span), finding.message)
        for finding in checked.findings
        if finding.code == "DF207"
    ]


def test_an_output_that_nothing_reads_is_a_note(check: Check) -> None:
    checked = check(
        """\
nodes:
  - {id: camera, path: c.py, outputs: [image, depth]}
  - {id: viewer, path: v.py, inputs: {x: camera/image}}
  - id: face
    operator: {python: f.py, inputs: {x: camera/image}, outputs: [box]}
"""
    )
    assert notes(checked) == [
        ("note", "flow.yml:2:47", "nothing reads the output `depth` of `camera`"),
        ("note", "flow.yml:5:67", "nothing reads the output `box` of `face`"),
    ]


def test_a_note_stays_a_note_when_strict(check: Check) -> None:
    text = "nodes:\n  - {id: a, path: a.py, outputs: [x, y]}\n  - {id: b, path: b.py, inputs: {x: a/x}}\n"
    assert [severity for severity, _, _ in notes(check(text, strict=True))] == ["note"]


def test_while_nothing_is_connected_nothing_is_noted(check: Check) -> None:
    assert notes(check("nodes:\n  - {id: a, path: a.py, outputs: [x, y]}\n")) == []


def test_while_a_reference_is_wrong_nothing_is_noted(check: Check) -> None:
    text = "nodes:\n  - {id: a, path: a.py, outputs: [x, y]}\n  - {id: b, path: b.py, inputs: {x: a/x, y: a/yy}}\n"
    assert notes(check(text)) == []
