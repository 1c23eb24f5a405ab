"""Runs found by name: alive by their lock, also while others come and go."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control import places
from doraflow_runtime.control.places import RunFacts, is_run_name, read_facts, write_facts
from doraflow_runtime.control.registry import find_runs, is_alive, meant_by
from doraflow_runtime.launcher import run_directory

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.launcher.run_directory import RunDirectory


def begin(base: Path, dataflow: str, token: str, started: str = "2026-01-01T00:00:00+00:00") -> RunDirectory:
    run = run_directory.create(base, dataflow, token)
    write_facts(run.path, RunFacts(run.path.name, dataflow, "local", os.getpid(), started, "/logs", "/bundle", 2))
    return run


def names(base: Path) -> list[str]:
    return [run.name for run in find_runs(base)]


def test_a_run_is_found_while_its_launcher_lives(tmp_path: Path) -> None:
    run = begin(tmp_path / "base", "vision", "1")
    (found,) = find_runs(tmp_path / "base")
    assert found.is_alive
    assert not found.has_socket
    assert found.facts.dataflow == "vision"
    assert is_alive(found)
    os.close(run.lock)
    (found,) = find_runs(tmp_path / "base")
    assert not found.is_alive
    assert not is_alive(found)
    run_directory.remove(run.path)
    assert find_runs(tmp_path / "base") == ()


def test_there_are_no_runs_without_a_base(tmp_path: Path) -> None:
    assert find_runs(tmp_path / "nothing") == ()


def test_runs_are_listed_oldest_first(tmp_path: Path) -> None:
    runs = [begin(tmp_path / "b", "flow", token, f"2026-01-0{day}T00:00:00") for token, day in (("a", 3), ("b", 1))]
    assert names(tmp_path / "b") == ["flow-b", "flow-a"]
    for run in runs:
        run.remove()


def test_a_name_means_a_run_or_the_runs_of_a_dataflow(tmp_path: Path) -> None:
    runs = [begin(tmp_path / "b", dataflow, token) for dataflow, token in (("v", "1"), ("v", "2"), ("w", "1"))]
    found = find_runs(tmp_path / "b")
    meant = {name: [run.name for run in meant_by(name, found)] for name in ("v-1", "v", "w", "x", "")}
    assert meant == {"v-1": ["v-1"], "v": ["v-1", "v-2"], "w": ["w-1"], "x": [], "": ["v-1", "v-2", "w-1"]}
    os.close(runs[0].lock)
    assert [run.name for run in meant_by("v", find_runs(tmp_path / "b"))] == ["v-2"]
    for run in runs[1:]:
        run.remove()


@pytest.mark.parametrize("text", ["", "[", "{}", '{"name": 7}', "null", "[" * 10_000, '{"name": "other"}'])
def test_a_run_whose_facts_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    run = run_directory.create(tmp_path / "b", "flow", "1")
    (run.path / places.FACTS).write_text(text)
    assert read_facts(run.path) is None
    assert find_runs(tmp_path / "b") == ()
    run.remove()


def test_a_run_that_calls_itself_otherwise_is_left_out(tmp_path: Path) -> None:
    run = begin(tmp_path / "b", "flow", "1")
    facts = json.loads((run.path / places.FACTS).read_text())
    (run.path / places.FACTS).write_text(json.dumps(facts | {"name": "another"}))
    assert find_runs(tmp_path / "b") == ()
    run.remove()


def test_a_look_does_not_take_the_lock_from_a_run_that_begins(tmp_path: Path) -> None:
    """A launcher that finds its own lock taken would not start."""
    import threading

    base, ends = tmp_path / "b", threading.Event()
    keeper = begin(base, "keeper", "0")

    def look() -> None:
        while not ends.is_set():
            find_runs(base)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(100):
            begin(base, "flow", str(number)).remove()
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    keeper.remove()


@pytest.mark.parametrize("name", ["", ".x", "-x", "a/b", "a b", "..", "x" * 49, "é", "a\n"])
def test_what_is_no_name_for_a_run(name: str) -> None:
    assert not is_run_name(name)
