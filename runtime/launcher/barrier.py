"""The start barrier: who has not come yet, and when to say so.

No node starts before every node with ports has said hello or has ended. Nothing here reads a clock or a socket;
times are seconds that the caller passes in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_NEWS_AFTER = 5.0


class Barrier:
    """Waits for `nodes`, from `now` on for at most `timeout` seconds.

    >>> barrier = Barrier(["a", "b"], now=0.0, timeout=120.0)
    >>> barrier.arrived("a", now=1.0); barrier.awaited
    ('b',)
    """

    __slots__ = ("_all", "_awaited", "_pause", "_started", "_told", "timeout")

    def __init__(self, nodes: Iterable[str], now: float, timeout: float) -> None:
        self._all = tuple(nodes)
        self._awaited = dict.fromkeys(self._all)
        self._started = now
        self.timeout = timeout
        self._told = now
        self._pause = FIRST_NEWS_AFTER

    @property
    def awaited(self) -> tuple[str, ...]:
        """The nodes that are still awaited, in the order of the dataflow."""
        return tuple(self._awaited)

    @property
    def is_open(self) -> bool:
        """Whether everyone has come."""
        return not self._awaited

    def arrived(self, node: str, now: float) -> None:
        """Wait for `node` no more: it has said hello, or it has ended."""
        if node in self._awaited:
            del self._awaited[node]
            self._told = now

    def expect(self, node: str) -> None:
        """Wait for `node` again: the process that may have said hello has ended, and another follows."""
        if node in self._all:
            awaited = {*self._awaited, node}
            self._awaited = {name: None for name in self._all if name in awaited}

    def next_time(self) -> float:
        """Say when to look again."""
        return min(self._told + self._pause, self._started + self.timeout)

    def is_over(self, now: float) -> bool:
        """Tell whether the time is over."""
        return now >= self._started + self.timeout

    def seconds_left(self, now: float) -> float:
        """Say how long is left until the time is over."""
        return max(0.0, self._started + self.timeout - now)

    def seconds_to_tell(self, now: float) -> float | None:
        """Say for how long there has been no news, if that has to be told now; each time the next pause doubles."""
        if now < self._told + self._pause:
            return None
        self._told = now
        waited = self._pause
        self._pause *= 2
        return waited
