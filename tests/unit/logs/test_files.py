"""Log files read line by line while they are put aside, removed and written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.logs import files
from doraflow.logs.files import LogCursor, Place, end_of, lines_backwards

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


class Log:
    """A log that grows as the launcher lets it grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def write(self, *lines: bytes) -> None:
        with self.path.open("ab") as file:
            file.writelines(line + b"\n" for line in lines)

    def put_aside(self) -> None:
        if self.path.exists():
            self.count += 1
            self.path.rename(f"{self.path}.{self.count}")

    def remove_oldest(self) -> None:
        numbers = [number for number in range(1, self.count + 1) if self._aside(number).exists()]
        if numbers:
            self._aside(numbers[0]).unlink()

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def forwards(path: Path, place: Place | None = None, stop: Place | None = None) -> list[bytes]:
    cursor = LogCursor(path, place)
    found = list(cursor.lines(stop))
    cursor.close()
    return found


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "n.jsonl")


def test_all_files_of_a_log_are_read_oldest_first(log: Log) -> None:
    for number in range(12):
        log.write(b"%d" % number)
        log.put_aside()
    log.write(b"12")
    assert forwards(log.path) == [b"%d" % number for number in range(13)]
    assert list(lines_backwards(log.path, None)) == [b"%d" % number for number in reversed(range(13))]


def test_a_log_that_does_not_exist_yet_is_read_when_it_does(log: Log) -> None:
    cursor = LogCursor(log.path)
    assert list(cursor.lines()) == []
    log.write(b"a")
    assert list(cursor.lines()) == [b"a"]
    cursor.close()


def test_half_a_line_waits_for_its_other_half(log: Log) -> None:
    cursor = LogCursor(log.path)
    log.path.write_bytes(b"one\ntw")
    assert list(cursor.lines()) == [b"one"]
    with log.path.open("ab") as file:
        file.write(b"o\n")
    assert list(cursor.lines()) == [b"two"]
    cursor.close()


def test_a_reader_that_is_overtaken_goes_on_with_the_oldest_that_is_left(log: Log) -> None:
    log.write(b"read")
    cursor = LogCursor(log.path)
    assert list(cursor.lines()) == [b"read"]
    log.write(b"still held open")
    for number in range(3):
        log.put_aside()
        log.write(b"%d" % number)
    log.remove_oldest()
    log.remove_oldest()
    assert list(cursor.lines()) == [b"still held open", b"1", b"2"]
    cursor.close()


def test_reading_can_begin_and_end_where_the_log_once_ended(log: Log) -> None:
    log.write(b"before")
    place = end_of(log.path)
    log.write(b"after")
    log.put_aside()
    log.write(b"later")
    assert forwards(log.path, stop=place) == [b"before"]
    assert list(lines_backwards(log.path, place)) == [b"before"]
    assert forwards(log.path, place) == [b"after", b"later"]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=90_000).map(lambda line: line.replace(b"\n", b"")), max_size=5))
def test_backwards_gives_what_forwards_gives(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "n.jsonl")
    log.write(*lines)
    assert forwards(log.path) == lines
    wanted = [line for line in lines if line]
    assert [line for line in lines_backwards(log.path, None) if line] == wanted[::-1]


STEPS = st.lists(st.sampled_from(["write", "write", "put aside", "remove", "read"]), max_size=40)


@settings(deadline=None)
@given(STEPS)
def test_a_follower_reads_every_line_once_that_it_can_still_find(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "n.jsonl")
    cursor = LogCursor(log.path)
    written, read, was_removed = 0, [], False
    for step in [*steps, "read"]:
        match step:
            case "write":
                log.write(b"%d" % written)
                written += 1
            case "put aside":
                log.put_aside()
            case "remove":
                was_removed = was_removed or log.count > 0
                log.remove_oldest()
            case "read":
                read += [int(line) for line in cursor.lines()]
    cursor.close()
    assert read == sorted(set(read))
    if not was_removed:
        assert read == list(range(written))


@pytest.mark.parametrize("begins_at_a_place", [False, True])
def test_a_file_that_is_put_aside_while_it_is_looked_for_is_not_left_out(
    log: Log, monkeypatch: pytest.MonkeyPatch, begins_at_a_place: bool
) -> None:
    log.write(b"0")
    place = end_of(log.path) if begins_at_a_place else None
    cursor = LogCursor(log.path, place)
    if not begins_at_a_place:
        assert list(cursor.lines()) == [b"0"]
        log.put_aside()
    log.write(b"1")
    opened = files._opened
    looks: list[Path] = []

    def late(path: Path) -> BinaryIO | None:
        looks.append(path)
        if looks.count(log.path) == 1 == len(looks):
            log.put_aside()
            log.write(b"2")
        return opened(path)

    monkeypatch.setattr(files, "_opened", late)
    assert list(cursor.lines()) == [b"1", b"2"]
    cursor.close()
