"""The start barrier across hosts: whether this host may start, whom it waits for, when to say so, and when to give up.

Pure, like the barrier of one host that it is made of; times are seconds that the caller passes in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.fleet.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow_runtime.fleet.membership import Host


class Gathering:
    """Waits for the other hosts, from `now` on for at most `timeout` seconds; None is for no wait at all.

    The timeout is for hosts that are not there: one that is has a bound of its own for its nodes, and tells when that
    is over.
    """

    __slots__ = ("_began", "_pauses", "_timeout")

    def __init__(self, now: float, timeout: float | None) -> None:
        self._began = now
        self._timeout = timeout
        self._pauses = Pauses(now)

    @property
    def timeout(self) -> float:
        """How long is waited at most, in seconds."""
        return self._timeout or 0.0

    def may_start(self, hosts: Iterable[Host]) -> bool:
        """Tell whether nobody has to be waited for: all are ready, or the dataflow runs already."""
        known = tuple(hosts)
        if self._timeout is None or any(host.has_started for host in known):
            return True
        return all(host.is_ready for host in known)

    def awaited(self, hosts: Iterable[Host]) -> tuple[Host, ...]:
        """List the hosts that are not ready."""
        return tuple(host for host in hosts if not host.is_ready)

    def missing(self, hosts: Iterable[Host], now: float) -> tuple[Host, ...]:
        """List the hosts for which the time is over."""
        if self._timeout is None or now < self._began + self._timeout:
            return ()
        return tuple(host for host in hosts if host.presence != "present" and not host.is_ready)

    def seconds_left(self, now: float) -> float:
        """Say how long is left until the time is over."""
        return max(0.0, self._began + self.timeout - now)

    def is_to_tell(self, now: float) -> bool:
        """Tell whether it has to be said now who is awaited."""
        return self._pauses.is_due(now)
