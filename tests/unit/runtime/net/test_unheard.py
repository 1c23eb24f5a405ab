"""Messages that applications outside of the dataflow miss: bounded, counted, told once; and nothing for nobody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")

from doraflow_runtime.net.fabric import audience
from doraflow_runtime.net.fabric.audience import MOST_BYTES, Audience
from doraflow_runtime.net.fabric.writer import Letter

PATIENCE = 30


class NoSession:
    """In the place of a session: one that is never open."""

    def when_open(self, act: object) -> None:
        """Never do it."""


class Slow(Audience):
    """An audience behind a network that takes nothing before `may_go_on`; each message is a quarter of its room."""

    def __init__(self, outputs: list[str]) -> None:
        super().__init__(NoSession(), "flow", "a", outputs)  # type: ignore[arg-type]
        self.is_putting, self.may_go_on = threading.Event(), threading.Event()
        self.written = self.put = 0
        for voice in self._voices.values():
            voice.writer._put = self._hold

    def hear(self, output: str) -> None:
        self._voices[self.links[output]].is_heard = True

    def say(self, output: str) -> None:
        message: Any = None
        self.send(self.links[output], message, lambda _: b"")

    def _letter(self, *_: Any) -> Letter:
        self.written += 1
        return Letter(bytes(MOST_BYTES // len(self.links) // 4), b"")

    def _hold(self, _: Letter) -> None:
        self.is_putting.set()
        self.may_go_on.wait(PATIENCE)
        self.put += 1


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(audience.log_lines, "write", lambda _level, text, **_: lines.append(text))
    return lines


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow(["near", "out"])
    yield made
    made.may_go_on.set()
    made.close()
    for writer in made.writers:
        writer.join(PATIENCE)


def test_while_nobody_listens_nothing_is_copied_and_nothing_counts_as_missed(slow: Slow, told: list[str]) -> None:
    slow.say("out")
    slow.miss(slow.links["out"])
    assert (slow.written, slow.dropped, told) == (0, {"near": 0, "out": 0}, [])


def test_what_a_slow_network_cannot_take_is_bounded_by_bytes_counted_and_told_once(slow: Slow, told: list[str]) -> None:
    slow.hear("out")
    slow.say("out")
    assert slow.is_putting.wait(PATIENCE)
    for _ in range(6):
        slow.say("out")
    assert slow.dropped == {"near": 0, "out": 2}
    slow.miss(slow.links["out"])
    assert slow.dropped == {"near": 0, "out": 3}
    (words,) = told
    assert words == (
        "messages to applications that listen to `dora/default/flow/output/a/out` are dropped: "
        "they come faster than the network takes them"
    )
    slow.may_go_on.set()
    slow.close()
    for writer in slow.writers:
        writer.join(PATIENCE)
    assert (slow.written, slow.put) == (7, 5)
