"""A start in the background, with launchers of a few lines."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from doraflow.diagnostics import Sink
from doraflow.operate import starting
from doraflow.operate.starting import Started, start_detached

if TYPE_CHECKING:
    import pytest

LAUNCHING = """print('{"event": "launching", "run": "flow-1", "logs": "/logs"}', flush=True)\n"""


def start(code: str, shown: list[str], sink: Sink, timeout: float = 20.0) -> Started | None:
    return start_detached([sys.executable, "-c", code], timeout, shown.append, sink)


def test_a_start_ends_when_the_nodes_have_started() -> None:
    shown: list[str] = []
    code = LAUNCHING + """print('{"event": "started"}', flush=True)\nimport time\ntime.sleep(60)"""
    started = start(code, shown, Sink())
    assert started is not None
    os.kill(started.process, signal.SIGKILL)
    os.waitpid(started.process, 0)
    assert (started.run, started.logs, started.code) == ("flow-1", "/logs", 0)
    assert len(shown) == 2


def test_a_launcher_that_fails_gives_its_exit_code_and_its_words() -> None:
    shown: list[str] = []
    started = start("import sys\nsys.exit('no such thing')", shown, Sink())
    assert started is not None
    assert (started.run, started.code, shown) == ("", 1, ["no such thing"])


def test_a_launcher_that_says_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "MARGIN_SECONDS", 0.2)
    sink = Sink()
    assert start("import time\ntime.sleep(60)", [], sink, 0.1) is None
    (found,) = sink.found
    process = int(found.message.split("process ")[1].split(",")[0])
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    assert found.code == "DF845"
    assert found.message == f"the launcher, process {process}, has neither started nor failed within 0.3 s"
    assert found.help == f"look at it with `doraflow list`; `kill {process}` ends it"
