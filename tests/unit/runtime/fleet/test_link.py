"""The sockets of a launcher: when they begin to speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.fleet.link import Link
from doraflow_runtime.fleet.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


@dataclass
class Loop:
    """What is to happen later."""

    later: list[Callable[[], object]] = field(default_factory=list)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        assert seconds == 0.0
        self.later.append(callback)

    def on_readable(self, descriptor: int, callback: Callable[[], object]) -> None:
        del descriptor, callback

    def forget(self, descriptor: int) -> None:
        del descriptor


def test_nothing_is_told_before_whoever_makes_the_link_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pumped: list[Link] = []

    def pump_and_note(link: Link) -> None:
        pumped.append(link)

    monkeypatch.setattr(Link, "pump", pump_and_note)
    loop = Loop()
    terms = Terms("robot", "life", "plan", "tcp://127.0.0.1:*", insecure=True)
    link = Link(terms, loop, print, print, print)  # type: ignore[arg-type]
    assert pumped == []
    (pump,) = loop.later
    pump()
    assert pumped == [link]
    link.close()
