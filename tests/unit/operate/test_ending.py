"""The end of a run of several hosts: silence is no end, and a host that could not be asked is named."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.messages import Done, HostState, Refusal
from doraflow_runtime.control.places import RunFacts
from doraflow_runtime.control.registry import FoundRun

from doraflow.diagnostics import Sink
from doraflow.operate import ending
from doraflow.operate.fleet import HostView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTS = RunFacts("v-1", "v", "arm", 10, "2026-01-01T00:00:00+00:00", "/logs", "/bundle", 2)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FoundRun:
    (tmp_path / "control.sock").touch()
    monkeypatch.setattr(ending, "ask", lambda *_arguments: Done("asked"))
    monkeypatch.setattr(ending, "is_alive", lambda _run: False)
    monkeypatch.setattr(ending, "_PAUSE", 0.0)
    return FoundRun(tmp_path, FACTS, is_alive=True)


@pytest.mark.parametrize(
    ("state", "is_well", "found", "said"),
    [
        ("ended", True, [], []),
        ("absent", True, [], []),
        ("stopping", True, [], ["this host has ended, and others were about to: `gpu` (stopping)"]),
        ("lost", False, ["this host has ended, but `gpu` could not be asked to: nothing was heard of it"], []),
    ],
)
def test_a_stop_tells_which_hosts_it_did_not_reach(
    run: FoundRun, monkeypatch: pytest.MonkeyPatch, state: str, is_well: bool, found: list[str], said: list[str]
) -> None:
    monkeypatch.setattr(ending, "_others", lambda _run: iter([("gpu", state)]))
    sink, notices = Sink(), list[str]()
    assert ending.stop(run, 5.0, notices.append, sink) is is_well
    assert [each.message for each in sink.found] == found
    assert notices == said


@pytest.mark.parametrize(
    ("timeout", "state", "is_well"),
    [(0.0, "running", False), (5.0, "stopping", False), (5.0, "ended", True), (5.0, "absent", True)],
)
def test_hosts_that_could_not_be_stopped_at_once_are_told_unless_they_have_ended(
    run: FoundRun, monkeypatch: pytest.MonkeyPatch, timeout: float, state: str, is_well: bool
) -> None:
    refusal = Refusal("host `gpu` did not answer within 5 s", "ask again, or look at it there")
    monkeypatch.setattr(ending, "Client", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(ending, "ask_others", lambda *_: {"gpu": refusal, "base": Done("stopping")})
    monkeypatch.setattr(ending, "_others", lambda _run: iter([("gpu", state), ("base", "stopping")]))
    sink = Sink()
    assert ending.stop(run, timeout, lambda _words: None, sink, now=True) is is_well
    told = (
        "not every host was stopped at once, and its nodes may take until the end of their grace: "
        "host `gpu` did not answer within 5 s"
    )
    assert [(each.code, each.message) for each in sink.found] == ([] if is_well else [("DF843", told)])


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([[("gpu", "stopping")], [], [("gpu", "lost")], [("gpu", "ended")]], []),
        ([[("gpu", "lost")]], ["host `gpu` has not ended within 0.2 s; it is lost"]),
        ([[]], ["host `gpu` has not ended within 0.2 s; it is silent"]),
    ],
)
def test_a_host_that_is_silent_or_lost_has_not_ended(
    run: FoundRun, monkeypatch: pytest.MonkeyPatch, states: list[list[tuple[str, str]]], told: list[str]
) -> None:
    left = list(states)

    def others(_run: FoundRun) -> Iterator[tuple[str, str]]:
        return iter(left.pop(0) if len(left) > 1 else left[0])

    views = (HostView("arm", None, None), HostView("gpu", HostState("gpu", "running"), None))
    monkeypatch.setattr(ending, "survey", lambda *_arguments, **_options: views)
    monkeypatch.setattr(ending, "ask_host", lambda *_arguments: None)
    monkeypatch.setattr(ending, "_others", others)
    sink = Sink()
    ending.stop_host(run, "gpu", 0.2, lambda _words: None, sink, now=False)
    assert [each.message for each in sink.found] == told
