"""Requests to other hosts that are not answered yet: who was asked, what has come, and when the time is over.

Pure; sending is done elsewhere, and times are seconds that the caller passes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Done: TypeAlias = "Callable[[dict[str, str | None]], None]"
"""Takes what each host has answered, by host in the order in which they were asked; None for one that has not."""

MOST = 256
"""Requests that wait at once."""


@dataclass(slots=True)
class _Question:
    answers: dict[str, str | None]
    missing: set[str]
    until: float
    done: Done


class Questions:
    """What is asked of other hosts.

    >>> questions, said = Questions(), []
    >>> number = questions.ask(["gpu"], 0.0, 3.0, said.append)
    >>> questions.take(number, "gpu", "fine"); said
    [{'gpu': 'fine'}]
    """

    __slots__ = ("_last", "_open")

    def __init__(self) -> None:
        self._open: dict[int, _Question] = {}
        self._last = 0

    @property
    def is_full(self) -> bool:
        """Whether no more can be asked now."""
        return len(self._open) >= MOST

    def ask(self, hosts: Iterable[str], now: float, patience: float, done: Done) -> int:
        """Begin a request to some hosts, and give its number; `done` is called once, with no host at all right away."""
        names = list(dict.fromkeys(hosts))
        self._last += 1
        if not names:
            done({})
            return self._last
        self._open[self._last] = _Question(dict.fromkeys(names), set(names), now + patience, done)
        return self._last

    def take(self, number: int, host: str, answer: str) -> None:
        """Take an answer; one that nobody waits for is not heeded."""
        question = self._open.get(number)
        if question is None or host not in question.missing:
            return
        question.answers[host] = answer
        question.missing.discard(host)
        if not question.missing:
            del self._open[number]
            question.done(question.answers)

    def give_up(self, now: float) -> None:
        """Close the requests whose time is over, with the answers that they have."""
        for number in [number for number, question in self._open.items() if now >= question.until]:
            question = self._open.pop(number)
            question.done(question.answers)

    def end(self) -> None:
        """Close all requests."""
        self.give_up(float("inf"))
