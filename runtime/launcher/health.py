"""Which nodes have hung: those that have joined and shown no sign of life for longer than they may, as dora judges it.

Signs of life come over the launcher's socket, made by the node's own calls; nothing here reads a clock or ends a
process. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

SIGNS_IN_TIMEOUT = 4
"""How many signs a node gives within its timeout, so that one that comes late is not its end."""

SHORTEST_PAUSE = 0.01


def sign_seconds(timeout: float) -> float:
    """Say how often a node shows that it lives, if it may be silent for `timeout` seconds; 0 is for never.

    >>> sign_seconds(30.0), sign_seconds(0.0)
    (7.5, 0.0)
    """
    return max(timeout / SIGNS_IN_TIMEOUT, SHORTEST_PAUSE) if timeout else 0.0


class Health:
    """The last signs of life of nodes that are watched, looked at every `interval` seconds.

    >>> health = Health(interval=5.0)
    >>> health.watch("camera", timeout=2.0, now=0.0)
    >>> health.silent(now=5.0), health.silent(now=5.0)
    ((('camera', 5.0),), ())
    """

    __slots__ = ("_interval", "_last", "_next", "_timeouts")

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._timeouts: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._next: float | None = None

    @property
    def next_time(self) -> float | None:
        """When to look again; None while no node is watched."""
        return self._next if self._timeouts else None

    def watch(self, node: str, timeout: float, now: float) -> None:
        """Watch a node from now on, if it has a timeout."""
        if timeout:
            if not self._timeouts:
                self._next = now + self._interval
            self._timeouts[node] = timeout
            self._last[node] = now

    def forget(self, node: str) -> None:
        """Watch a node no longer: it has ended, is paused, or is being stopped."""
        self._timeouts.pop(node, None)
        self._last.pop(node, None)

    def heard(self, node: str, now: float) -> None:
        """Note a sign of life."""
        if node in self._last:
            self._last[node] = now

    def silent(self, now: float) -> tuple[tuple[str, float], ...]:
        """Find the nodes that were silent for too long, with their silence in seconds; each is watched no longer.

        Looks only when that is due.
        """
        if self._next is None or now < self._next:
            return ()
        self._next = now + self._interval
        found = [(node, now - last) for node, last in self._last.items() if now - last > self._timeouts[node]]
        for node, _ in found:
            self.forget(node)
        return tuple(found)
