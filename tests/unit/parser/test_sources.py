"""Sources of inputs: references, timers, logs."""

import pytest

from doraflow.diagnostics import Sink, Span
from doraflow.ir import LogSubscription, PortReference, Source, Timer
from doraflow.parser.sources import parse_source, split_reference

SPAN = Span("f.yml", 3, 5, 3, 9)


def parse(text: str) -> tuple[Source | None, list[tuple[str, str, str | None]]]:
    sink = Sink()
    source = parse_source(text, SPAN, sink)
    assert all(found.span == SPAN for found in sink.found)
    return source, [(found.code, found.message, found.help) for found in sink.found]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("camera/image", PortReference("camera", "image")),
        ("runtime/blur/image", PortReference("runtime", "blur/image")),
        ("nav.planner/path", PortReference("nav.planner", "path")),
        ("doras/x", PortReference("doras", "x")),
        ("dora/timer/millis/100", Timer(100_000_000, "dora/timer/millis/100")),
        ("dora/timer/secs/5", Timer(5_000_000_000, "dora/timer/secs/5")),
        ("dora/timer/micros/+7", Timer(7_000, "dora/timer/micros/+7")),
        ("dora/timer/nanos/1", Timer(1, "dora/timer/nanos/1")),
        ("dora/timer/hz/30", Timer(33_333_333, "dora/timer/hz/30")),
        ("dora/timer/hz/0.5", Timer(2_000_000_000, "dora/timer/hz/0.5")),
        ("dora/timer/hz/29.97", Timer(33_366_700, "dora/timer/hz/29.97")),
        ("dora/logs", LogSubscription(None, None)),
        ("dora/logs/WARN", LogSubscription("warn", None)),
        ("dora/logs/stdout/camera", LogSubscription("stdout", "camera")),
    ],
)
def test_what_dora_accepts_is_read(text: str, source: Source) -> None:
    assert parse(text) == (source, [])


NOT_A_SOURCE = "is not a source: a source is `node/output`, `dora/timer/…` or `dora/logs`"
LEGAL = "letters, digits, `_`, `-` and `.`"
SEPARATES = "it holds `/`, which separates a node from its output"
UNITS = "the units are `millis`, `secs`, `hz`, `micros`, `nanos`"

FAULTS = [
    ("camera", "DF106", f"`camera` {NOT_A_SOURCE}", "write `camera/OUTPUT` with the output to read"),
    ("/image", "DF106", f"`/image` {NOT_A_SOURCE}", "write `NODE/image` with the node to read"),
    ("", "DF106", f"`` {NOT_A_SOURCE}", "write `NODE/OUTPUT` with the node and output to read"),
    (
        "my camera/image",
        "DF106",
        f"`my camera/image` is not a source: `my camera` is not a node id: it holds ` `, and only {LEGAL} are allowed",
        "write `NODE/OUTPUT` with the ids of a node and its output",
    ),
    (
        "a/b//c",
        "DF106",
        "`a/b//c` is not a source: `b//c` is not a port id: nothing stands before, after or between its slashes",
        "write `NODE/OUTPUT` with the ids of a node and its output",
    ),
    (
        "dora",
        "DF106",
        "`dora` alone is no source: there are `dora/timer/…` and `dora/logs`",
        "write for example `dora/timer/millis/100`",
    ),
    (
        "dora/timers/secs/1",
        "DF106",
        "`dora` has no source `timers`: there are `dora/timer/…` and `dora/logs`",
        "write `dora/timer/secs/1`",
    ),
    (
        "dora/logs/inf/camera",
        "DF106",
        "`dora/logs/inf/camera` names no log level: the levels are `info`, `stdout`, `trace`, `debug`, `warn`, `error`",
        "write `dora/logs/info/camera`",
    ),
    (
        "dora/logs/info/a/b",
        "DF106",
        f"`dora/logs/info/a/b` is not a source: `a/b` is not a node id: {SEPARATES}",
        "write `dora/logs/info/a_b`",
    ),
    (
        "dora/timer/millis/0",
        "DF107",
        "`dora/timer/millis/0` has an interval of 0, so it would tick without a pause",
        "write for example `dora/timer/millis/100`",
    ),
    (
        "dora/timer/hz/1e12",
        "DF107",
        "`dora/timer/hz/1e12` has an interval of 0, so it would tick without a pause",
        "write for example `dora/timer/millis/100`",
    ),
    (
        "dora/timer/millis/fast",
        "DF107",
        "`fast` is not a number of milliseconds: expected a whole number",
        "write for example `dora/timer/millis/100`",
    ),
    (
        "dora/timer/secs/0.5",
        "DF107",
        "`0.5` is not a number of seconds: expected a whole number",
        "write `dora/timer/millis/500`",
    ),
    (
        "dora/timer/secs/-1",
        "DF107",
        "`-1` is not a number of seconds: expected a whole number",
        "write for example `dora/timer/secs/1`",
    ),
    (
        "dora/timer/hz/0",
        "DF107",
        "`0` is not a number of hertz: expected a number above 0",
        "write for example `dora/timer/hz/30`",
    ),
    (
        "dora/timer/hz/inf",
        "DF107",
        "`inf` is not a number of hertz: expected a number above 0",
        "write for example `dora/timer/hz/30`",
    ),
    ("dora/timer/ms/100", "DF107", f"`ms` is not a unit of timers: {UNITS}", "write `dora/timer/millis/100`"),
    (
        "dora/timer/Hz/30",
        "DF107",
        "`Hz` is not a unit of timers: the units are `hz`, `millis`, `secs`, `micros`, `nanos`",
        "write `dora/timer/hz/30`",
    ),
    (
        "dora/timer/fortnights/1",
        "DF107",
        f"`fortnights` is not a unit of timers: {UNITS}",
        "write for example `dora/timer/millis/100`",
    ),
    (
        "dora/timer/100",
        "DF107",
        "`dora/timer/100` is not a timer: a timer is `dora/timer/UNIT/N`",
        "write `dora/timer/hz/100` for 100 a second, `dora/timer/millis/100` for one every 100 ms",
    ),
    (
        "dora/timer/secs/99999999999999999999",
        "DF107",
        "`dora/timer/secs/99999999999999999999` ticks less than once in 292 years",
        "write for example `dora/timer/secs/1`",
    ),
    (
        "dora/timer/hz/1e-300",
        "DF107",
        "`dora/timer/hz/1e-300` ticks less than once in 292 years",
        "write for example `dora/timer/secs/1`",
    ),
]


@pytest.mark.parametrize(("text", "code", "message", "help_text"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_malformed_source_is_told_with_the_edit_that_mends_it(
    text: str, code: str, message: str, help_text: str | None
) -> None:
    assert parse(text) == (None, [(code, message, help_text)])


def test_references_are_split_at_their_first_slash() -> None:
    assert split_reference("a/b/c") == ("a", "b/c")
    assert split_reference("dora/timer/secs/1") is None
    assert split_reference("a") is None
