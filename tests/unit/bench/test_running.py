"""The processes of a run: the end of each is noticed at once, and a failure is told with its last words."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from bench.flow import Vertex, flow
from bench.running import Command, RunError, run

if TYPE_CHECKING:
    from pathlib import Path

FLOW = flow("latency", [Vertex("source", "pacer"), Vertex("sink", "clock", "source")], ["sink"])
SLEEP = Command((sys.executable, "-c", "import time; time.sleep(100)"))
FAIL = Command((sys.executable, "-c", "raise LookupError('the lens is gone')"))
END = Command((sys.executable, "-c", "pass"))


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.parametrize("commands", [(SLEEP, FAIL), (FAIL, SLEEP)])
def test_a_process_that_fails_ends_the_wait_for_those_that_would_never_end(commands: tuple[Command, ...]) -> None:
    began = time.monotonic()
    with run(FLOW) as running:
        running.start(commands, {})
        with pytest.raises(RunError) as raised:
            running.wait(90)
    assert str(raised.value).splitlines()[0] == "ended with exit code 1: LookupError: the lens is gone"
    assert time.monotonic() - began < 60


def test_a_run_has_ended_when_all_its_processes_have() -> None:
    with run(FLOW) as running:
        running.start((END, END), {})
        assert 0 < running.wait(60) < 60


def test_a_run_that_does_not_end_is_told() -> None:
    with run(FLOW) as running:
        running.start((SLEEP, END), {})
        with pytest.raises(RunError, match=r"^had not ended after 1 s$"):
            running.wait(1)
        deadline = time.monotonic() + 60
        while len(running.processes()) > 1:  # the other one ends by itself
            assert time.monotonic() < deadline
            time.sleep(0.02)
        number = running.processes()
    assert len(number) == 1
    assert running.processes() == []
