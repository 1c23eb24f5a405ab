"""The console, and writing to readers that are slow or gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.console import Console, Style, printable
from doraflow_runtime.launcher.loop import Loop
from doraflow_runtime.launcher.outlet import Outlet
from doraflow_runtime.launcher.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow_runtime.contract import LogLevel


def record(message: str, level: LogLevel = "stdout", node: str = "n") -> Record:
    return Record("T", level, node, message)


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def shown(tmp_path: Path, loop: Loop, style: Style, *records: Record, width: int = 0) -> str:
    path = tmp_path / "out"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    console = Console(style, Outlet(descriptor, loop), Outlet(descriptor, loop))
    console.width = width
    console.records(records)
    console.finish()
    os.close(descriptor)
    return path.read_text()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (record("hello"), "n    | hello\n"),
        (record("dark", "warn"), "n    | warn: dark\n"),
        (record("one\ntwo", "error"), "n    | error: one\nn    | two\n"),
        (record("\x1b[31mred\x1b[0m\t\x1b[2J"), "n    | \x1b[31mred\x1b[0m\t\\x1b[2J\n"),
        (record("\ud800"), "n    | \\ud800\n"),
    ],
)
def test_a_record_as_text_is_aligned_and_harmless(tmp_path: Path, loop: Loop, given: Record, expected: str) -> None:
    assert shown(tmp_path, loop, "text", given, width=4) == expected


def test_a_record_as_json_says_its_type(tmp_path: Path, loop: Loop) -> None:
    (line,) = shown(tmp_path, loop, "json", record("é")).splitlines()
    assert json.loads(line) == {"type": "log", **json.loads(record("é").as_json())}


def test_control_characters_are_shown_by_number() -> None:
    assert printable("a\x00\x7f\x9b\r") == "a\\x00\\x7f\\x9b\\x0d"


def test_what_a_slow_reader_does_not_take_waits_for_it(loop: Loop) -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer, loop)
    lines = [f"{number} {'x' * 1000}" for number in range(300)]
    for line in lines:
        outlet.write(line)
    received = b""
    while received.count(b"\n") < len(lines):
        received += os.read(reader, 1 << 16)
        loop.run_once(0.0)
    assert received.decode().splitlines() == lines
    os.close(reader)
    os.close(writer)


def test_what_no_reader_would_ever_take_is_left_out_and_counted(loop: Loop) -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer, loop)
    for number in range(10_000):
        outlet.write(f"{number} {'x' * 1000}")
    received = b""
    while not received.endswith(b"files hold them)\n"):
        received += os.read(reader, 1 << 16)
        loop.run_once(0.0)
    *lines, last = received.decode().splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    count = 10_000 - len(lines)
    assert last == f"({count} lines are not shown, since nobody read them; the log files hold them)"
    outlet.write("on it goes")
    assert os.read(reader, 100) == b"on it goes\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_gone_closes_the_outlet(loop: Loop) -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer, loop)
    outlet.write("x")
    assert not outlet.is_closed
    os.close(reader)
    outlet.write("y")
    assert outlet.is_closed
    outlet.write("z")
    outlet.finish()
    os.close(writer)


def test_a_full_disk_behind_a_redirection_does_not_close_the_outlet(loop: Loop) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    outlet = Outlet(descriptor, loop)
    outlet.write("x")
    outlet.finish()
    assert not outlet.is_closed
    os.close(descriptor)


def test_finishing_waits_for_the_reader(loop: Loop) -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer, loop)
    outlet.write("x" * 100_000)
    count = "import sys; print(len(sys.stdin.buffer.read()))"
    with subprocess.Popen([sys.executable, "-c", count], stdin=reader, stdout=subprocess.PIPE) as process:
        os.close(reader)
        outlet.finish()
        os.close(writer)
        assert process.communicate(timeout=30)[0] == b"100001\n"
