"""Log files: whole lines, however full they or the disk become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import LogRules
from doraflow_runtime.launcher.log_files import LogFile, LogFiles, aside_numbers, file_name
from doraflow_runtime.launcher.records import Record
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

RULES = LogRules()


def record(message: str, node: str = "n") -> Record:
    return Record("T", "stdout", node, message)


def messages(path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_bytes().split(b"\n")[:-1]]


def all_messages(path: Path) -> list[str]:
    files = [path.with_name(f"{path.name}.{number}") for number in sorted(aside_numbers(path))] + [path]
    return [message for file in files for message in messages(file)]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("camera", "camera.jsonl"),
        ("a.b-c_D9", "a.b-c_D9.jsonl"),
        ("..", "%2E..jsonl"),
        ("a/b", "a%2Fb.jsonl"),
        ("a b\n", "a%20b%0A.jsonl"),
    ],
)
def test_any_node_has_a_file_name(node: str, expected: str) -> None:
    assert file_name(node) == expected


def test_a_file_that_cannot_be_written_is_told_once_for_all(tmp_path: Path) -> None:
    told: list[str] = []
    files = LogFiles(tmp_path, told.append)
    (tmp_path / "a.jsonl").mkdir()
    (tmp_path / "b.jsonl").symlink_to("/dev/full")
    for node in "aabc":
        files.write(node, [record("x", node=node)], RULES)
    assert told == [f"`{tmp_path}/a.jsonl` cannot be written: is a directory; the run goes on without a full log"]
    files.close()
    assert messages(tmp_path / "c.jsonl") == ["x"]
    assert told[1:] == [
        f"`{tmp_path}/a.jsonl` is not whole, it lacks 2 lines at its end (is a directory)",
        f"`{tmp_path}/b.jsonl` is not whole, it lacks 1 line at its end (too many levels of symbolic links)",
    ]


class FullDisk:
    """`os.write` on a disk with room for some bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def __call__(self, descriptor: int, data: memoryview) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        written = self._write(descriptor, data[: self.room])
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    disk = FullDisk(1 << 30)
    monkeypatch.setattr(os, "write", disk)
    return disk


def test_what_a_full_disk_costs_is_counted_and_told_when_there_is_room_again(tmp_path: Path, disk: FullDisk) -> None:
    told: list[str] = []
    now = 0.0
    files = LogFiles(tmp_path, told.append, clock=lambda: now)
    files.write("n", [record("before")], RULES)
    disk.room = 10
    files.write("n", [record("lost"), record("lost too")], RULES)
    disk.room = 1 << 30
    files.write("n", [record("within the pause")], RULES)
    now = 1.0
    files.write("n", [record("after")], RULES)
    files.close()
    path = tmp_path / "n.jsonl"
    assert messages(path) == [
        "before",
        "3 lines were lost here: the log could not be written (no space left on device)",
        "after",
    ]
    gap = json.loads(path.read_text().splitlines()[1])
    assert (gap["level"], gap["node"], gap["target"], gap["fields"]) == ("warn", "n", "doraflow_runtime", {"lost": 3})
    assert told == [
        f"`{path}` cannot be written: no space left on device; the run goes on without a full log",
        f"`{path}` is written again: 3 lines of it were lost (no space left on device)",
    ]


def test_a_disk_that_stays_full_is_asked_ever_more_seldom(tmp_path: Path, disk: FullDisk) -> None:
    now = 0.0
    file = LogFile("n", tmp_path / "n.jsonl", RULES, lambda: now)
    disk.room = 0
    attempts = set()
    for second in range(400):
        now = float(second)
        file.write([record("x")])
        attempts.add(file.retry_at)
    assert file.lost == 400
    assert len(attempts) < 16


@given(st.lists(st.lists(st.text(max_size=40), max_size=6), max_size=8), st.integers(100, 400), st.integers(1, 50))
def test_files_that_are_put_aside_lose_and_halve_no_line(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], limit: int, kept: int
) -> None:
    path = tmp_path_factory.mktemp("logs") / "n.jsonl"
    file = LogFile("n", path, LogRules(largest_file=limit, kept_files=kept))
    for batch in batches:
        file.write([record(text) for text in batch])
    file.close()
    assert file.lost == 0
    written = [text for batch in batches for text in batch]
    if not written:
        return
    found = all_messages(path)
    numbers = sorted(aside_numbers(path))
    assert len(numbers) <= kept
    assert found == (written[-len(found) :] if numbers and numbers[0] > 1 else written)
    for number in numbers:
        old = path.with_name(f"n.jsonl.{number}")
        assert old.stat().st_size <= limit or len(messages(old)) == 1


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl"
    for text in "abcdef":
        file = LogFile("n", path, LogRules(largest_file=250, kept_files=9))
        file.write([record(text)])
        file.close()
    assert all_messages(path) == list("abcdef")
    assert sorted(aside_numbers(path)) == [1, 2]


def test_a_node_whose_name_ends_like_a_file_put_aside_keeps_its_own(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, pytest.fail)
    rules = LogRules(largest_file=1, kept_files=1)
    for node in ("a", "a.1", "a", "a.1", "a"):
        files.write(node, [record("x", node)], rules)
    files.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.1.jsonl", "a.1.jsonl.1", "a.jsonl", "a.jsonl.2"]


def test_a_limit_on_the_size_of_files_is_a_disk_that_is_full(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from doraflow_runtime.contract import LogRules\n"
        "from doraflow_runtime.launcher.log_files import LogFile\n"
        "from doraflow_runtime.launcher.records import Record\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "file = LogFile('n', Path(sys.argv[1]), LogRules())\n"
        "for number in range(20): file.write([Record('T', 'info', 'n', str(number))])\n"
        "print(file.trouble, file.lost)\n"
    )
    path = tmp_path / "n.jsonl"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    kept = messages(path)
    assert kept == [str(number) for number in range(len(kept))]
    assert done.stdout == f"file too large {20 - len(kept)}\n"
