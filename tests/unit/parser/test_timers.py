"""Timers that are written in another form, and what they were meant to be."""

from __future__ import annotations

import pytest

from doraflow.diagnostics import Sink, Span
from doraflow.parser.sources import parse_source
from doraflow.parser.timers import timer_meant


@pytest.mark.parametrize(
    "text",
    [
        "timer/hz/30",
        "dora/timer/30hz",
        "dora/timers/hz/30",
        "dora/timer/hz30",
        "dora/timer/30/hz",
        "dora/timer/fps/30",
        "dora/tick/hz/30",
        "dora/timer(30hz)",
        "dora.timer.hz.30",
        "Dora/Timer/hz/30",
        "dora-timer/hz/30",
        "timer:30hz",
        "timer: 30 Hz",
        "every 30 hertz",
        "30hz",
        "30 fps",
    ],
)
def test_a_timer_in_another_form_is_recognised(text: str) -> None:
    assert timer_meant(text) == "dora/timer/hz/30"


@pytest.mark.parametrize(
    "text",
    ["camera/30hz", "camera/image", "timer/image", "timer/1/2/hz", "dora/timer/hz", "dora/timer/30", "hz/30", "tick"],
)
def test_what_is_no_timer_is_left_alone(text: str) -> None:
    assert timer_meant(text) is None


@pytest.mark.parametrize("text", ["dora/timer/30hz", "dora/timers/hz/30", "30hz", "timer.hz.30", "dora/timer/30/hz"])
def test_the_help_gives_the_whole_source(text: str) -> None:
    sink = Sink()
    assert parse_source(text, Span("f.yml", 1, 1, 1, 5), sink) is None
    assert [(found.help, found.replacement) for found in sink.found] == [
        ("write `dora/timer/hz/30`", "dora/timer/hz/30" if text != "dora/timer/30/hz" else None)
    ]
