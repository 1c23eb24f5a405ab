"""Entries of the result cache: whole or ignored, private, bounded, and safe when many write at once."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doraflow.cli import entries
from doraflow.cli.entries import Entry, load, results_folder, store

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = Entry({"code": 1, "answers": {"file": {"a\udc80.py": "yes"}}}, ("", "text ü \udc80\n"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_an_entry_comes_back_as_it_was_kept() -> None:
    assert load("key") is None
    store("key", ENTRY)
    assert load("key") == ENTRY
    store("key", Entry({"code": 0}))
    assert load("key") == Entry({"code": 0})


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_entry_is_as_good_as_none(data: st.DataObject) -> None:
    store("key", ENTRY)
    path = results_folder() / "key"
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert load("key") is None


def test_the_folder_and_its_entries_are_for_the_user_alone() -> None:
    store("key", ENTRY)
    assert results_folder().stat().st_mode & 0o777 == 0o700
    assert (results_folder() / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_neither_read_nor_filled(mode: int) -> None:
    store("key", ENTRY)
    results_folder().chmod(mode)
    store("other", ENTRY)
    assert load("key") is None
    assert [path.name for path in results_folder().iterdir()] == ["key"]


def test_the_entries_that_were_not_used_for_longest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 3)
    for age, key in enumerate(("a", "b", "c"), 1):
        store(key, ENTRY)
        os.utime(results_folder() / key, ns=(age, age))
    assert load("a") == ENTRY
    store("d", ENTRY)
    assert sorted(path.name for path in results_folder().iterdir()) == ["a", "c", "d"]


def test_the_cache_keeps_to_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "LARGEST_CACHE", 2500)
    for key in ("a", "b", "c"):
        store(key, Entry({}, ("x" * 1000,)))
        os.utime(results_folder() / key, ns=(ord(key), ord(key)))
    assert sorted(path.name for path in results_folder().iterdir()) == ["b", "c"]
    monkeypatch.setattr(entries, "LARGEST_ENTRY", 100)
    store("d", Entry({}, ("x" * 1000,)))
    assert load("d") is None


def test_many_writers_and_readers_never_meet_half_an_entry() -> None:
    wanted = [Entry({"code": number}, ("x" * 100_000 * number,)) for number in range(1, 9)]

    def use(entry: Entry) -> list[Entry | None]:
        found = []
        for _ in range(10):
            store("key", entry)
            found.append(load("key"))
        return found

    with ThreadPoolExecutor(8) as pool:
        found = [each for result in pool.map(use, wanted) for each in result]
    assert all(each in wanted for each in found)
    assert [path.name for path in results_folder().iterdir()] == ["key"]


def test_a_cache_that_cannot_be_written_is_no_fault(cache: Path) -> None:
    (cache / "doraflow").write_text("no folder")
    store("key", ENTRY)
    assert load("key") is None


def test_a_full_disk_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    store("key", ENTRY)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("pathlib.Path.replace", full)
    store("other", ENTRY)
    assert [path.name for path in results_folder().iterdir()] == ["key"]


def test_a_text_of_another_encoding_is_not_kept() -> None:
    code = "from doraflow.cli.fingerprint import key_of; print(key_of(['check']))"
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
