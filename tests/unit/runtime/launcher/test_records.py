"""Log records made of lines."""

from __future__ import annotations

import json

import pytest
from doraflow_runtime.launcher.lines import Line
from doraflow_runtime.launcher.records import Record, record_of, timestamp

NOW = "2026-01-02T03:04:05.000006+00:00"


def structured(**changes: object) -> str:
    return json.dumps({"doraflow_log": 1, "level": "info", "message": "m", **changes})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (structured(), Record(NOW, "info", "n", "m")),
        (structured(timestamp="then", target="t", fields={"a": 1}), Record("then", "info", "n", "m", "t", {"a": 1})),
        (structured(timestamp=5, target=5, fields=5), Record(NOW, "info", "n", "m")),
    ],
)
def test_a_structured_line_sets_its_own_fields(text: str, expected: Record) -> None:
    assert record_of(Line(text), "n", "stdout", NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{",
        "{}",
        "[1]",
        '{"level": "info", "message": "m"}',
        structured(level="loud"),
        structured(level=3),
        structured(message=None),
        structured(doraflow_log=2),
        "{" * 100_000,
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_any_other_line_is_taken_as_it_stands(text: str) -> None:
    assert record_of(Line(text), "n", "stdout", NOW) == Record(NOW, "stdout", "n", text, None, {"stream": "stdout"})


def test_standard_error_is_never_structured() -> None:
    assert record_of(Line(structured()), "n", "stderr", NOW).level == "stdout"


def test_a_line_that_goes_on_says_so() -> None:
    assert record_of(Line("x", goes_on=True), "n", "stderr", NOW).fields == {"stream": "stderr", "goes_on": True}


def test_a_record_is_one_line_of_json() -> None:
    text = Record(NOW, "info", "n", 'é"\n', "t", {"a": [1]}).as_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "timestamp": NOW,
        "level": "info",
        "node": "n",
        "message": 'é"\n',
        "target": "t",
        "fields": {"a": [1]},
    }


def test_timestamps_are_utc_with_microseconds() -> None:
    assert len(timestamp()) == len(NOW)
    assert timestamp().endswith("+00:00")
