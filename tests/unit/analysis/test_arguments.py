from __future__ import annotations

import pytest

from doraflow.analysis.arguments import read_arguments
from doraflow.diagnostics import Sink, Span

SPAN = Span("flow.yml", 4, 11, 4, 20)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("--device 0; reboot", "`;`"),
        ("a ; b", "`;`"),
        ("a && b", "`&&`"),
        ("a || b", "`||`"),
        ("a | b", "`|`"),
        ("a &", "`&`"),
        ("a > log", "`>`"),
        ("a >>log", "`>>`"),
        ("a 2> log", "`2>`"),
        ("a 2>&1", "`2>&1`"),
        ("a < in", "`<`"),
        ("$(hostname)", "`$(`"),
        ("`hostname`", "a backquote"),
        ("$HOME/data", "`$HOME`"),
        ('"${HOME}/data"', "`${HOME}`"),
        ("~/data", "`~`"),
    ],
)
def test_shell_syntax_is_told(text: str, found: str) -> None:
    sink = Sink()
    read_arguments("camera", text, SPAN, sink)
    (finding,) = sink.found
    assert (finding.code, finding.severity, finding.span) == ("DF603", "warning", SPAN)
    assert finding.message == (
        f"`args` of `camera` holds {found}, but no shell reads it: the program gets it as it stands"
    )
    assert finding.help == "to have a shell read it, write `path: shell` and put the whole command line into `args`"


@pytest.mark.parametrize(
    "text",
    [
        "http://host/?a=1&b=2",
        "--filter 'a; b' --other 'x && y'",
        '--query "a > b; c | d"',
        "--format a|b",
        "<name>",
        "x=~/y",
        "^end$ $5 100$",
        r"\$HOME",
        "'$HOME'",
        "--speed $PARAM_SPEED",
    ],
)
def test_what_a_program_may_well_want_is_left_alone(text: str) -> None:
    sink = Sink()
    read_arguments("camera", text, SPAN, sink)
    assert sink.found == []


def test_an_open_quote_is_an_error_and_gives_no_arguments() -> None:
    sink = Sink()
    assert read_arguments("camera", "--name 'front", SPAN, sink) == ()
    (finding,) = sink.found
    assert (finding.code, finding.severity, finding.message) == (
        "DF115",
        "error",
        "the quotes in `args` of `camera` are not balanced, so the arguments cannot be told apart",
    )
