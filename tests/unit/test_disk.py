"""Questions to the disk: what is answered, and when answers hold no more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from doraflow import disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yml").write_text("text")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.yml").write_text("")
    (tmp_path / "link").symlink_to("a.yml")
    return tmp_path


def ask_everything(folder: Path) -> list[object]:
    return [
        disk.read(folder / "a.yml"),
        disk.is_file(folder / "a.yml"),
        disk.is_file(folder / "absent"),
        disk.is_folder(folder / "deep"),
        disk.exists(folder / "absent"),
        disk.size(folder / "a.yml"),
        disk.is_executable(folder / "a.yml"),
        disk.files_in(folder),
        disk.files_in(folder / "absent"),
        disk.files_below(folder / "deep"),
        disk.resolved(folder / "link") == folder.resolve() / "a.yml",
    ]


def test_every_question_is_answered(folder: Path) -> None:
    assert ask_everything(folder) == [
        *(b"text", True, False, True, False, 4, False),
        *(["a.yml", "link"], [], ["er/b.yml"], True),
    ]


CHANGES: dict[str, Callable[[Path], object]] = {
    "another content of the same length": lambda folder: (folder / "a.yml").write_text("next"),
    "a file that goes": lambda folder: (folder / "a.yml").unlink(),
    "a file that comes": lambda folder: (folder / "absent").touch(),
    "a file that may be executed": lambda folder: (folder / "a.yml").chmod(0o755),
    "a file in a folder": lambda folder: (folder / "new.yml").touch(),
    "a file deep in a folder": lambda folder: (folder / "deep" / "er" / "new.yml").touch(),
    "a file that becomes a folder": lambda folder: ((folder / "a.yml").unlink(), (folder / "a.yml").mkdir()),
    "a link that leads elsewhere": lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("deep")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_answers_hold_until_something_changes(folder: Path, change: Callable[[Path], object]) -> None:
    with disk.recorded() as record:
        ask_everything(folder)
    assert record.is_steady
    assert disk.still_hold(record.answers)
    change(folder)
    assert not disk.still_hold(record.answers)


def test_a_command_is_looked_for_where_nodes_find_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with disk.recorded() as record:
        assert not disk.has_command("doraflow-test-command")
    program = folder / "doraflow-test-command"
    program.touch(mode=0o755)
    assert disk.still_hold(record.answers)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    assert not disk.still_hold(record.answers)


def test_a_file_that_cannot_be_read_is_an_answer_too(folder: Path) -> None:
    with disk.recorded() as record, pytest.raises(FileNotFoundError):
        disk.read(folder / "absent")
    with disk.recorded() as other, pytest.raises(IsADirectoryError):
        disk.read(folder / "deep")
    assert disk.still_hold(record.answers)
    (folder / "absent").write_text("")
    assert not disk.still_hold(record.answers)
    assert not disk.still_hold(other.answers)  # a folder is asked for no content again


def test_what_changes_while_it_is_recorded_is_not_steady(folder: Path) -> None:
    with disk.recorded() as record:
        disk.read(folder / "a.yml")
        (folder / "a.yml").write_text("new")
        disk.read(folder / "a.yml")
    assert not record.is_steady


def test_a_part_of_a_file_is_not_steady(folder: Path) -> None:
    with disk.recorded() as record:
        assert disk.read(folder / "a.yml", 2) == b"te"
    assert not record.is_steady


def test_a_pipe_is_not_steady_and_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    descriptor = os.open(folder / "pipe", os.O_RDWR)
    os.write(descriptor, b"text")
    try:
        with disk.recorded() as record:
            assert disk.read(folder / "pipe", 4) == b"text"
    finally:
        os.close(descriptor)
    assert not record.is_steady
    assert not disk.still_hold(record.answers)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_names_that_no_file_can_have_are_answered(folder: Path, name: str) -> None:
    path = folder / name
    assert not disk.is_file(path)
    assert disk.files_in(path) == []
    assert disk.resolved(path).name == name


def test_without_a_record_nothing_is_kept(folder: Path) -> None:
    with disk.recorded() as record:
        pass
    disk.is_file(folder / "a.yml")
    assert record.answers == {}
