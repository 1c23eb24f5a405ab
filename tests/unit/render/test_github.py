"""Diagnostics as GitHub's workflow commands, escaped as GitHub reads them."""

from __future__ import annotations

import pytest

from doraflow.diagnostics import Diagnostic, Label, Severity, Span
from doraflow.render import render_github

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
    replacement="camera/image",
)


def test_a_finding_is_one_command_with_its_place_and_the_mend() -> None:
    assert render_github([FINDING]) == (
        "::error file=perception.yml,line=6,col=14,endLine=6,endColumn=26,title=DF204::"
        "`camera` has no output `imgae`%0Aperception.yml:2:9: declares `image`%0Anote: a note"
        "%0Ahint: to read the closest output, write `camera/image`\n"
    )


@pytest.mark.parametrize(
    ("severity", "command"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "notice")]
)
def test_severities_are_github_s_own(severity: Severity, command: str) -> None:
    assert render_github([Diagnostic("DF701", severity, "m")]) == f"::{command} title=DF701::m\n"


def test_what_github_reads_as_its_own_is_escaped() -> None:
    finding = Diagnostic("DF103", Severity.ERROR, "50%: a,b\r\nc", Span("a:b,c%.yml", 1, 2, 1, 3))
    assert render_github([finding]) == (
        "::error file=a%3Ab%2Cc%25.yml,line=1,col=2,endLine=1,endColumn=3,title=DF103::50%25: a,b%0D%0Ac\n"
    )


def test_columns_are_left_out_over_several_lines() -> None:
    finding = Diagnostic("DF103", Severity.ERROR, "m", Span("a.yml", 1, 2, 3, 4))
    assert render_github([finding]) == "::error file=a.yml,line=1,endLine=3,title=DF103::m\n"
