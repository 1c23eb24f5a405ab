"""Log records made of lines."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from doraflow_runtime.contract import LOG_LEVELS
from doraflow_runtime.launcher.lines import Line, LineSplitter
from doraflow_runtime.launcher.records import Record, passes, records_of, timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = "2026-01-02T03:04:05.000006+00:00"
THEN = "2025-12-31T23:59:59.500000+00:00"
SCHEMA = Path(__file__).parents[4] / "schema" / "log-record.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def record_of(text: str, stream: str = "stdout") -> Record:
    (record,) = records_of(Line(text), "n", "stderr" if stream == "stderr" else "stdout", NOW)
    return record


def structured(**changes: object) -> str:
    return json.dumps({"doraflow_log": 1, "level": "info", "message": "m", **changes})


def foreign(**changes: object) -> str:
    return json.dumps({"timestamp": "2025-12-31T23:59:59.5Z", "level": "INFO", **changes})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (structured(), Record(NOW, "info", "n", "m")),
        (structured(timestamp=THEN, target="t", fields={"a": 1}), Record(THEN, "info", "n", "m", "t", {"a": 1})),
        (structured(timestamp="then"), Record(NOW, "info", "n", "m")),
        (structured(timestamp=5, target=5), Record(NOW, "info", "n", "m")),
        (structured(trace_id="4bf9"), Record(NOW, "info", "n", "m", trace_id="4bf9")),
        (structured(trace_id="x" * 200), Record(NOW, "info", "n", "m", trace_id="x" * 128)),
        (structured(fields={"trace_id": "4bf9", "a": 1}), Record(NOW, "info", "n", "m", None, {"a": 1}, "4bf9")),
    ],
)
def test_a_log_line_of_the_node_api_sets_its_own_fields(text: str, expected: Record) -> None:
    assert record_of(text) == record_of(text, "stderr") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (foreign(message="m"), Record(THEN, "info", "n", "m")),
        (foreign(), Record(THEN, "info", "n", "")),
        (foreign(timestamp="2026-01-01T01:59:59.5000009+02:00"), Record(THEN, "info", "n", "")),
        (
            foreign(level="warn", fields={"message": "m", "sensor": 3}),
            Record(THEN, "warn", "n", "m", None, {"sensor": 3}),
        ),
        (foreign(level="WARNING"), Record(THEN, "warn", "n", "")),
        (foreign(level="critical"), Record(THEN, "error", "n", "")),
        (foreign(level="stdout"), Record(THEN, "stdout", "n", "")),
        (foreign(fields={"target": "a::b"}), Record(THEN, "info", "n", "", "a::b")),
        (
            foreign(target="a::b", file="m.rs", line=7, node_id="other", span={"name": "s"}),
            Record(THEN, "info", "n", "", "a::b", {"file": "m.rs", "line": 7, "span": {"name": "s"}}),
        ),
    ],
)
def test_a_log_line_of_another_language_is_known_by_its_level_and_time(text: str, expected: Record) -> None:
    assert record_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        "{",
        "{}",
        "[1]",
        '{"level": "info", "message": "m"}',
        foreign(timestamp="2026-01-01T00:00:00"),
        foreign(timestamp="9999-12-31T23:59:59-10:00"),
        foreign(timestamp=5),
        foreign(level=None),
        foreign(fields=[1]),
        foreign(fields={"a": float("nan")}),
        foreign(fields={"a": json.loads("[" * 300 + "]" * 300)}),
        structured(level="loud"),
        structured(level=3),
        structured(message=None),
        structured(doraflow_log=2),
        structured(fields=5),
        "{" * 100_000,
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_any_other_line_is_taken_as_it_stands(text: str) -> None:
    assert record_of(text) == Record(NOW, "stdout", "n", text, None, {"stream": "stdout"})


def test_a_log_line_behind_a_text_without_an_end_is_a_record_of_its_own() -> None:
    first, second = records_of(Line("loading ..." + structured()), "n", "stdout", NOW)
    assert first == Record(NOW, "stdout", "n", "loading ...", None, {"stream": "stdout"})
    assert second == Record(NOW, "info", "n", "m")


def test_a_line_that_goes_on_says_so() -> None:
    (record,) = records_of(Line(structured(), goes_on=True), "n", "stderr", NOW)
    assert (record.level, record.fields) == ("stdout", {"stream": "stderr", "goes_on": True})


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
        "trace_id": None,
    }


def test_a_traceback_is_shown_below_its_message() -> None:
    fields: dict[str, object] = {"traceback": "Traceback:\nKeyError: 1\n"}
    assert Record(NOW, "error", "n", "no\nkey", None, fields).lines() == ["no", "key", "Traceback:", "KeyError: 1"]
    assert Record(NOW, "error", "n", "KeyError: 1", None, {**fields, "uncaught": True}).lines() == [
        "Traceback:",
        "KeyError: 1",
    ]


def test_levels_pass_as_in_dora() -> None:
    for lowest in LOG_LEVELS:
        let_through = [level for level in LOG_LEVELS if passes(level, lowest)]
        assert let_through == list(LOG_LEVELS[: LOG_LEVELS.index(lowest) + 1])


def test_timestamps_are_utc_with_microseconds() -> None:
    assert len(timestamp()) == len(NOW)
    assert timestamp().endswith("+00:00")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["doraflow_log", "timestamp", "level", "message", "target", "fields", "trace_id", "other"])
LIKELY = st.sampled_from([1, "info", "WARN", THEN, "2026-01-01T00:00:00Z", {"a": 1}, {"trace_id": "x"}])
OBJECTS = st.dictionaries(KEYS, LIKELY | VALUES, max_size=7).map(lambda said: json.dumps(said).encode())
PIECES = st.lists(
    st.one_of(st.binary(max_size=30), OBJECTS, st.sampled_from([b"\n", b"\r", b"\r\n", b'{"doraflow_log": 1, '])),
    max_size=8,
)


@settings(deadline=None)
@given(PIECES, st.lists(st.integers(0, 200), max_size=6))
def test_whatever_a_node_writes_comes_out_as_valid_records_none_lost(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter = LineSplitter(64)
    lines = [line for start, end in pairwise(places) for line in splitter.feed(data[start:end])] + splitter.finish()
    whole = "".join(line.text if line.goes_on else f"{line.text}\n" for line in lines)
    written = re.split(rb"\r\n|\r|\n", data)
    expected = [raw.decode(errors="backslashreplace") for raw in (written if written[-1] else written[:-1])]
    assert whole.split("\n")[:-1] == expected
    for line in lines:
        records = records_of(line, "n", "stdout", NOW)
        raw = [record.message for record in records if record.fields.get("stream") and record.timestamp == NOW]
        if len(raw) == len(records):
            assert raw == [line.text]  # else the rest of the line is a log line, whose parts are the record's
        for record in records:
            text = record.as_json().encode(errors="backslashreplace")
            assert b"\n" not in text
            VALIDATOR.validate(json.loads(text))
