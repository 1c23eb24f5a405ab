"""Diagnostics as text, to the letter."""

from __future__ import annotations

from doraflow.diagnostics import Diagnostic, Label, Severity, Span
from doraflow.render import count_line, render_text

TEXT = "nodes:\n  - id: camera\n    outputs: [image]\n  - id: detector\n    inputs:\n      image: camera/imgae\n"
FILE = "perception.yml"
FINDING = Diagnostic(
    "DF204",
    Severity.ERROR,
    "`camera` has no output `imgae`",
    Span(FILE, 6, 14, 6, 26),
    label="read by `detector`",
    related=(Label(Span(FILE, 2, 9, 2, 15), "declares `image`"),),
    notes=("a note",),
    help="to read the closest output, write `camera/image`",
)


def test_a_finding_shows_its_line_the_related_place_and_the_mend() -> None:
    assert render_text([FINDING], {FILE: TEXT}) == (
        "error[DF204]: `camera` has no output `imgae`\n"
        " --> perception.yml:6:14\n"
        "  |\n"
        "6 |       image: camera/imgae\n"
        "  |              ^^^^^^^^^^^^ read by `detector`\n"
        "  |\n"
        " ::: perception.yml:2:9\n"
        "  |\n"
        "2 |   - id: camera\n"
        "  |         ------ declares `image`\n"
        "  |\n"
        "  = note: a note\n"
        "\n"
        "hint: to read the closest output, write `camera/image`\n"
        "\n"
        "1 error\n"
    )


def test_a_finding_without_a_place_or_a_text_is_still_told() -> None:
    nowhere = Diagnostic("DF701", Severity.ERROR, "the bundle cannot be written")
    assert render_text([nowhere], {}) == "error[DF701]: the bundle cannot be written\n\n1 error\n"
    assert render_text([FINDING], {}).splitlines()[1:3] == [" --> perception.yml:6:14", "  = read by `detector`"]


def test_marks_stand_under_wide_letters_and_tabs() -> None:
    text = "x:\t日本 bad\n"
    finding = Diagnostic("DF103", Severity.WARNING, "m", Span(FILE, 1, 7, 1, 10))
    lines = render_text([finding], {FILE: text}).splitlines()
    assert lines[3] == "1 | x:    日本 bad"
    assert lines[4] == "  |            ^^^"


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "a" * 500 + "HERE" + "b" * 500
    finding = Diagnostic("DF103", Severity.WARNING, "m", Span(FILE, 1, 501, 1, 505))
    line, marks = render_text([finding], {FILE: text}).splitlines()[3:5]
    assert line.startswith("1 | …aaa")
    assert line.endswith("b…")
    assert len(line) < 130
    assert line[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_control_characters_do_not_reach_the_screen() -> None:
    finding = Diagnostic("DF103", Severity.WARNING, "m", Span(FILE, 1, 1, 1, 2))
    assert "\x1b" not in render_text([finding], {FILE: "a\x1b[31m"})


def test_findings_are_counted_by_severity() -> None:
    warning = Diagnostic("DF404", Severity.WARNING, "m")
    assert count_line([FINDING, FINDING, warning]) == "2 errors, 1 warning"
    assert count_line([]) == ""


def test_a_text_with_many_findings_is_split_once() -> None:
    class Counted(str):
        splits = 0

        def split(self, *arguments: object) -> list[str]:  # type: ignore[override]
            type(self).splits += 1
            return super().split(*arguments)  # type: ignore[arg-type]

    text = Counted("\n".join(f"line {number}" for number in range(1000)))
    findings = [Diagnostic("DF103", Severity.NOTE, "m", Span(FILE, line, 1, line, 5)) for line in range(1, 1001)]
    assert "1000 | line 999" in render_text(findings, {FILE: text})
    assert Counted.splits == 1
