"""Judging how nodes ended, and saying so."""

from __future__ import annotations

from pathlib import Path

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher import report
from doraflow_runtime.launcher.endings import Ending, Verdict
from doraflow_runtime.launcher.findings import Finding, cause
from doraflow_runtime.launcher.records import Record
from doraflow_runtime.launcher.stopping import Step

CAMERA = Process(node="camera", kind="python", place="flow.yml:4:9")
LOG = Path("/logs/camera.jsonl")


def said(*lines: str, stream: str = "stderr") -> list[Record]:
    return [Record("", "stdout", "camera", line, None, {"stream": stream}) for line in lines]


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending(0), Verdict.WELL),
        (Ending(0, Step.KILLED, was_signalled=True), Verdict.WELL),
        (Ending(1), Verdict.FAILED),
        (Ending(1, Step.ASKED), Verdict.FAILED),
        (Ending(-15), Verdict.FAILED),
        (Ending(-15, Step.TERMINATED, was_signalled=True), Verdict.WELL),
        (Ending(143, Step.TERMINATED, was_signalled=True), Verdict.WELL),
        (Ending(-2, Step.TERMINATED, was_signalled=True), Verdict.WELL),
        (Ending(1, Step.TERMINATED, was_signalled=True), Verdict.FAILED),
        (Ending(-9), Verdict.FAILED),
        (Ending(-9, Step.TERMINATED, was_signalled=True), Verdict.FAILED),
        (Ending(-9, Step.KILLED, was_signalled=True), Verdict.IGNORED_STOP),
        (Ending(-9, Step.KILLED, was_signalled=True, was_hurried=True), Verdict.WELL),
        (Ending(-11, Step.KILLED, was_signalled=True), Verdict.FAILED),
        (Ending(0, Step.ABANDONED, is_abandoned=True), Verdict.ABANDONED),
    ],
)
def test_dying_of_the_signal_that_was_sent_is_well(ending: Ending, verdict: Verdict) -> None:
    assert ending.verdict() is verdict


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (Ending(3, has_arrived=True), "`camera` failed with exit code 3"),
        (Ending(3), "`camera` failed before it joined the dataflow with exit code 3"),
        (Ending(-11, has_arrived=True), "`camera` was killed by SIGSEGV"),
        (Ending(-35, has_arrived=True), "`camera` was killed by signal 35"),
        (Ending(-9, Step.KILLED), "`camera` did not end within 5 s of SIGTERM and was killed"),
        (Ending(0, is_abandoned=True), "`camera` cannot be killed; the system holds its process"),
    ],
)
def test_a_failure_says_how_the_node_ended(ending: Ending, expected: str) -> None:
    found = report.failure(CAMERA, ending, (), LOG, report.Circumstances(grace=5.0))
    assert found == Finding("DF802", expected, "camera", "flow.yml:4:9", (), f"the whole output is in `{LOG}`")


def test_a_failure_shows_the_exception_and_the_last_ten_lines() -> None:
    lines = [f"line {number}" for number in range(20)]
    trace = ["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: no light"]
    found = report.failure(CAMERA, Ending(1, has_arrived=True), said(*lines, *trace), LOG)
    assert found.message == "`camera` failed with exit code 1: ValueError: no light"
    assert found.notes == (*lines[13:], *trace)


def test_a_missing_module_is_named_in_the_mend() -> None:
    last = said("Traceback (most recent call last):", "  ...", "ModuleNotFoundError: No module named 'cv2'")
    mend = report.failure(CAMERA, Ending(1), last, LOG).help
    assert mend == f"install what provides `cv2` with `pip install opencv-python`; the whole output is in `{LOG}`"


def test_a_failure_while_stopping_names_the_node_that_had_failed_before() -> None:
    found = report.failure(CAMERA, Ending(1, Step.ASKED), (), LOG, report.Circumstances(stopped_for="detector"))
    assert found.notes == ("(it was being stopped at that time, because `detector` had failed)",)


def test_long_and_odd_lines_are_shown_shortened_and_harmless() -> None:
    (note,) = report.failure(CAMERA, Ending(1), said("\x07" + "x" * 1000), LOG).notes
    assert note == "\\x07" + "x" * 296 + "…"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], None),
        (["all is well"], None),
        (["Traceback (most recent call last):", "  File", "KeyError: 'a'"], "KeyError: 'a'"),
        (
            ["Traceback (most recent call last):", "  File", "my.own.Trouble: a", "more", "KeyError: 'a'"],
            "my.own.Trouble: a",
        ),
        (
            [
                "Traceback (most recent call last):",
                "A: 1",
                "",
                "During …:",
                "",
                "Traceback (most recent call last):",
                "B: 2",
            ],
            "B: 2",
        ),
        (['  File "a.py", line 1', "    x = = 1", "SyntaxError: invalid syntax"], "SyntaxError: invalid syntax"),
        (["Traceback (most recent call last):", "  cut off"], None),
        (["Errors: 3"], None),
    ],
)
def test_the_exception_is_found_below_the_last_traceback(lines: list[str], expected: str | None) -> None:
    assert report.exception_line(said(*lines)) == expected


def test_lines_of_the_other_stream_do_not_confuse_the_traceback() -> None:
    trace = said("Traceback (most recent call last):", "  File", "KeyError: 'a'")
    mixed = [trace[0], *said("working", stream="stdout"), *trace[1:]]
    assert report.exception_line(mixed) == "KeyError: 'a'"


def test_a_node_that_did_not_join_is_told_with_the_option_that_gives_it_time() -> None:
    assert report.not_ready(CAMERA, 120.0, LOG).text() == (
        "error[DF803]: `camera` did not become ready within 120 s: it runs, but it has not joined the dataflow\n"
        "  --> flow.yml:4:9\n"
        f"hint: let it create its `Node` sooner, or raise `--start-timeout`; its output is in `{LOG}`"
    )


def test_a_system_error_is_told_in_our_case() -> None:
    assert cause(PermissionError(13, "Permission denied")) == "permission denied"
    assert cause(OSError("odd")) == "odd"
