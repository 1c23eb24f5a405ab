"""The warm process that a launch script begins: when it does, with which variables, and how it ends."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import doraflow_runtime
import pytest
from doraflow_runtime.warm.early import Warming, begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def warming() -> Iterator[Warming]:
    started = begin([], {"PATH": os.environ["PATH"], "PYTHONPATH": "/nowhere"})
    assert started is not None
    yield started
    started.leave_nothing()


def has_ended(started: Warming) -> bool:
    """Wait for the end of a process without reaping it."""
    with os.fdopen(os.pidfd_open(started.process)) as process:
        return bool(select.select([process], [], [], 30)[0])


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--check-health"], {}),
        (["--name", "x", "--check-health=live"], {}),
        (["-h"], {}),
        (["--help"], {}),
        ([], {"COVERAGE_PROCESS_START": "settings"}),
        ([], {"PYTHONPATH": "lib"}),
        ([], {"PYTHONPATH": "/lib:"}),
        ([], {"PYTHONPATH": ""}),
    ],
)
def test_nothing_is_begun_that_could_be_of_no_use(arguments: list[str], environment: dict[str, str]) -> None:
    assert begin(arguments, {"PATH": os.environ["PATH"], **environment}) is None


def test_a_launcher_that_hangs_up_before_it_says_go_ends_the_process(warming: Warming) -> None:
    line, warming.line = warming.line, os.open(os.devnull, os.O_RDONLY)
    os.close(line)
    assert has_ended(warming)


def test_a_process_is_ended_at_once_and_only_once(warming: Warming) -> None:
    warming.end()
    warming.end()
    assert has_ended(warming)
    warming.leave_nothing()
    with pytest.raises(ChildProcessError):
        os.waitpid(warming.process, 0)
    warming.leave_nothing()


def test_why_it_cannot_be_executed_is_told_where_its_own_words_would_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    started = begin([], {})
    assert started is not None
    with os.fdopen(os.dup(started.stderr)) as words:
        assert words.read() == "/nowhere/python: No such file or directory"
    started.leave_nothing()


def test_the_beginning_imports_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "doraflow_runtime").symlink_to(doraflow_runtime.__path__[0])  # `-S` knows nothing of what is installed
    code = (
        "import sys; before = set(sys.modules); import doraflow_runtime.warm.early; "
        "print(*sorted(set(sys.modules) - before - {'contextlib', '_socket'}))"
    )
    heavy = {"socket", "subprocess", "typing", "pathlib", "json", "dataclasses", "signal", "enum"}
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "doraflow_runtime.warm.early" in done.stdout.split()
    assert not heavy & set(done.stdout.split())
