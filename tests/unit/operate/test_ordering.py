"""Orders for all hosts: each is asked, whatever the others answer, and what was refused is told with what was done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.client import RefusedError
from doraflow_runtime.control.messages import Done, Refusal, Restart
from doraflow_runtime.control.places import RunFacts
from doraflow_runtime.control.registry import FoundRun

from doraflow.diagnostics import Sink
from doraflow.operate import ordering
from doraflow.operate.fleet import HostView

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.control.messages import Reply

FACTS = RunFacts("v-1", "v", "arm", 10, "2026-01-01T00:00:00+00:00", "/logs", "/bundle", 2)
ENDED = Refusal("`camera` has ended; 1 of 2 nodes are restarted")
LOST = Refusal("host `gpu` is lost", "see whether its launcher runs")
FINE = Done("2 nodes are restarted")


class Launcher:
    """Answers for the host that is asked."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def ask(self, *_: object) -> Reply:
        if isinstance(self.reply, Refusal):
            raise RefusedError(self.reply.message, self.reply.help)
        return self.reply


@pytest.mark.parametrize(
    ("own", "others", "said", "found"),
    [
        (FINE, {}, "2 nodes are restarted", []),
        (ENDED, {}, None, [("`camera` has ended; 1 of 2 nodes are restarted", None)]),
        (FINE, {"gpu": FINE}, "2 nodes are restarted on `arm`, 2 nodes are restarted on `gpu`", []),
        (
            ENDED,
            {"gpu": FINE},
            None,
            [("`arm`: `camera` has ended; 1 of 2 nodes are restarted; done: 2 nodes are restarted on `gpu`", None)],
        ),
        (
            ENDED,
            {"gpu": LOST},
            None,
            [("`arm`: `camera` has ended; 1 of 2 nodes are restarted; host `gpu` is lost", LOST.help)],
        ),
    ],
)
def test_all_hosts_are_asked_whatever_one_of_them_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: Reply,
    others: dict[str, Reply],
    said: str | None,
    found: list[tuple[str, str | None]],
) -> None:
    views = [HostView("arm"), *(HostView(host) for host in others)]
    monkeypatch.setattr(ordering, "Client", lambda *_: contextlib.nullcontext(Launcher(own)))
    monkeypatch.setattr(ordering, "look", lambda *_, **__: views)
    monkeypatch.setattr(ordering, "ask_others", lambda *_: others)
    sink = Sink()
    assert ordering.order(FoundRun(tmp_path, FACTS, is_alive=True), Restart(""), "", 1.0, sink) == said
    assert [(each.message, each.help) for each in sink.found] == found
    assert {each.code for each in sink.found} <= {"DF843"}
