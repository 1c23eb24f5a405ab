"""Queries, runs and the reading of whole logs."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from doraflow.logs.folders import find_run, logged_runs, read_run, state_folder
from doraflow.logs.formats import LogFormat, closing, opening, text_lines, written
from doraflow.logs.query import Query, moment
from doraflow.logs.reader import LogFollower, ends_of, read, read_grouped, read_last
from doraflow.logs.records import LogRecord, glance, read_record

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def time(second: int) -> str:
    return f"2026-01-02T03:04:{second:02}.000000+00:00"


def record(second: int, message: str, level: Any = "stdout", node: str = "a", **more: Any) -> LogRecord:
    return LogRecord(time(second), level, node, message, **more)


def line(given: LogRecord) -> bytes:
    return json.dumps(given.as_object(), ensure_ascii=False).encode()


def a_run(folder: Path, records: list[LogRecord], nodes: tuple[str, ...] = ("b", "a")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    described = {"dataflow": "flow", "run": "0123456789", "began": time(0), "process": 1, "nodes": nodes}
    (folder / "run.json").write_text(json.dumps(described))
    for given in records:
        with (folder / f"{given.node}.jsonl").open("ab") as file:
            file.write(line(given) + b"\n")
    return folder


RECORDS = [
    record(1, "one"),
    record(3, "Three", "warn", target="lens", fields={"lux": 30}),
    record(2, "out of its time", "info"),
    record(2, "two", "error", "b"),
    record(4, "four", "debug", "b", fields={"cause": "dust"}),
]


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        (Query(), ["one", "two", "Three", "out of its time", "four"]),
        (Query(nodes=("b",)), ["two", "four"]),
        (Query(lowest="info"), ["two", "Three", "out of its time"]),
        (Query(lowest="trace"), ["two", "Three", "out of its time", "four"]),
        (Query(only="debug"), ["four"]),
        (Query(text="THREE"), ["Three"]),
        (Query(text="LENS"), ["Three"]),
        (Query(text="dust"), ["four"]),
        (Query(text="b"), ["two", "four"]),
        (Query(pattern=re.compile("^t")), ["two"]),
        (Query(text="o", pattern=re.compile("r$")), ["four"]),
        (Query(since=time(3)), ["Three", "four"]),
        (Query(until=time(2)), ["one", "two", "out of its time"]),
        (Query(since=time(2), until=time(2)), ["two", "out of its time"]),
    ],
)
def test_all_nodes_are_read_together_by_time(tmp_path: Path, query: Query, messages: list[str]) -> None:
    run = read_run(a_run(tmp_path, RECORDS))
    ends = ends_of(run)
    found = [given.message for given in read(run, query, ends)]
    assert found == messages
    for count in range(len(found) + 2):
        last = [given.message for given in read_last(run, query, count, ends)]
        assert last == (found[-count:] if count else [])


def test_groups_come_in_the_order_of_the_dataflow_and_of_gravity(tmp_path: Path) -> None:
    run = read_run(a_run(tmp_path, RECORDS))
    by_node = [
        (name, [given.message for given in some]) for name, some in read_grouped(run, Query(), "node", ends_of(run))
    ]
    assert by_node == [("b", ["two", "four"]), ("a", ["one", "Three", "out of its time"])]
    by_level = {
        name: [given.message for given in some] for name, some in read_grouped(run, Query(), "level", ends_of(run))
    }
    assert list(by_level) == ["error", "warn", "info", "debug", "trace", "stdout"]
    assert by_level["stdout"] == ["one"]
    assert by_level["error"] == ["two"]


def test_a_follower_begins_at_the_end_and_finds_nodes_that_begin_later(tmp_path: Path) -> None:
    run = read_run(a_run(tmp_path, RECORDS[:1]))
    follower = LogFollower(run, Query(), ends_of(run))
    assert list(follower.new()) == []
    a_run(tmp_path, RECORDS[1:])
    assert [given.message for given in follower.new()] == ["two", "Three", "out of its time", "four"]
    assert list(follower.new()) == []
    follower.close()


def test_lines_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    run = read_run(a_run(tmp_path, RECORDS[:1]))
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write(b'{"timestamp": "' + b"\n" + b"[" * 100_000 + b"\n\n{}\n" + line(record(9, "last")) + b"\n")
    assert [given.message for given in read(run, Query(), ends_of(run))] == ["one", "last"]


def test_a_glance_sees_what_reading_sees() -> None:
    for given in RECORDS:
        seen = glance(line(given))
        assert seen is not None
        assert (seen.timestamp, seen.level) == (given.timestamp, given.level)
        assert read_record(line(given)) == given
    assert glance(b"{}") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30", "2026-01-02T11:59:30.000000+00:00"),
        ("5m", "2026-01-02T11:55:00.000000+00:00"),
        ("1.5h", "2026-01-02T10:30:00.000000+00:00"),
        ("2d", "2025-12-31T12:00:00.000000+00:00"),
        ("500ms", "2026-01-02T11:59:59.500000+00:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000+00:00"),
        ("2026-01-01T02:00+02:00", "2026-01-01T00:00:00.000000+00:00"),
    ],
)
def test_times_are_durations_or_dates(text: str, expected: str) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "5 weeks", "99999999d", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"`{text}` is no time: write `5m`, `2h` or `2026-01-31T12:00`")):
        moment(text, NOW)


def test_a_run_is_found_by_dataflow_name_id_or_folder(tmp_path: Path) -> None:
    base = state_folder({"XDG_STATE_HOME": str(tmp_path)})
    old = a_run(base / "flow" / "20260101T000000Z-1", RECORDS)
    new = a_run(base / "flow" / "20260102T000000Z-1", RECORDS)
    (new / "run.json").write_text((new / "run.json").read_text().replace("0123456789", "abcdefghij"))
    newest = a_run(base / "other" / "20260103T000000Z-1", [])
    (newest / "run.json").unlink()
    (base / "other" / "not a run").mkdir()
    assert [run.folder for run in logged_runs(base)] == [newest, new, old]

    def found(name: str | None) -> Path | None:
        run = find_run(base, name)
        return run and run.folder

    assert found(None) == found("other") == newest
    assert found("flow") == found("flow-abcdefgh") == found("abcdefgh") == found("20260102T000000Z-1") == new
    assert found("flow-01234567") == found("0123456789") == found(str(old)) == old
    assert found("abc") is found("nothing") is found(str(tmp_path / "nothing")) is None
    assert find_run(tmp_path / "nowhere", None) is None
    assert read_run(newest).name == "20260103T000000Z-1"


def test_a_run_goes_on_as_long_as_its_launcher_holds_the_lock(tmp_path: Path) -> None:
    run = read_run(a_run(tmp_path, []))
    assert not run.goes_on()
    lock = os.open(tmp_path / "run.json", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert run.goes_on()
    os.close(lock)
    assert not run.goes_on()
    assert not read_run(tmp_path / "nowhere").goes_on()


ODD = record(5, 'say "é",\nor: - not\x1b[2J', "warn", fields={"lux": 3, "file": "a.py", "why": "\x07"}, trace_id="4bf9")


def test_text_is_for_people() -> None:
    assert text_lines(ODD, width=3) == [
        '2026-01-02T03:04:05.000Z a   | warn: say "é", lux=3 why=\\x07',
        "                         a   | or: - not\\x1b[2J",
    ]
    assert text_lines(record(1, "plain", fields={"stream": "stdout"})) == ["2026-01-02T03:04:01.000Z a | plain"]


def test_formats_for_tools_hold_everything() -> None:
    def document(form: LogFormat, *records: LogRecord) -> str:
        body = "".join(written(given, form) for given in records)
        return opening(form) + body + closing(form, is_empty=not records)

    two = (RECORDS[0], ODD)
    objects = [given.as_object() for given in two]
    assert [json.loads(text) for text in document(LogFormat.JSON, *two).split("\n")[:-1]] == objects
    assert yaml.safe_load(document(LogFormat.YAML, *two).replace("\x1b", "")) == [
        {**given, "timestamp": given["timestamp"], "message": str(given["message"])} for given in objects
    ]
    assert yaml.safe_load(document(LogFormat.YAML)) == []
    rows = list(csv.DictReader(document(LogFormat.CSV, *two).splitlines(keepends=True)))
    assert rows[1]["message"] == ODD.message
    assert json.loads(rows[1]["fields"]) == ODD.fields
    assert rows[0] == {**objects[0], "target": "", "fields": "{}", "trace_id": ""}


def test_a_run_is_found_by_the_name_that_it_was_given_wherever_its_logs_lie(tmp_path: Path) -> None:
    base = state_folder({"XDG_STATE_HOME": str(tmp_path)})
    named = a_run(base / "flow" / "20260101T000000Z-1", RECORDS)
    (named / "run.json").write_text((named / "run.json").read_text().replace("{", '{"name": "night", ', 1))
    newer = a_run(base / "night" / "20260102T000000Z-1", RECORDS)
    (newer / "run.json").write_text(
        (newer / "run.json").read_text().replace('"flow"', '"night"').replace("04:00", "05:00")
    )
    own = a_run(tmp_path / "own", RECORDS)
    (own / "run.json").write_text((own / "run.json").read_text().replace("{", '{"name": "day", ', 1))
    assert read_run(named).name == "night"
    assert find_run(base, "day") is None

    def found(name: str) -> Path | None:
        run = find_run(base, name, [own, named, tmp_path / "nothing"])
        return run and run.folder

    assert found("day") == own
    assert found("night") == newer  # the newest, of whatever the name is
    with (named / "run.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert found("night") == named  # the one that goes on
