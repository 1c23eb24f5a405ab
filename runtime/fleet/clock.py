"""How far the clock of another host is off, measured as NTP does: the best of the last round trips.

Pure: times go in, an estimate comes out; nothing here sends or reads a clock. All times are in nanoseconds.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT = 16
"""Round trips among which the best is chosen; one is made a second, so an estimate follows a clock that drifts."""
FIRST_BURST = 5
"""Round trips that are made at once when a host has joined."""
SLOWEST_NS = 10_000_000_000


class Estimate(NamedTuple):
    """The other clock minus ours, and by how much that may be wrong at most: half of the round trip."""

    offset_ns: int
    error_ns: int


class Clock:
    """The clock of another host.

    >>> clock = Clock()
    >>> clock.take(asked=0, received=1_000_100, sent=1_000_200, came=500); clock.estimate
    Estimate(offset_ns=999900, error_ns=200)
    """

    __slots__ = ("_trips",)

    def __init__(self) -> None:
        self._trips: deque[Estimate] = deque(maxlen=KEPT)

    @property
    def estimate(self) -> Estimate | None:
        """The best estimate; None before the first round trip."""
        return min(self._trips, key=lambda trip: trip.error_ns) if self._trips else None

    def take(self, asked: int, received: int, sent: int, came: int) -> bool:
        """Take a round trip: asked and `came` by our clock, `received` and `sent` by theirs; False if it cannot be."""
        there, away = sent - received, came - asked
        if there < 0 or not there <= away <= SLOWEST_NS:
            return False
        offset = ((received - asked) + (sent - came)) // 2
        self._trips.append(Estimate(offset, (away - there + 1) // 2))
        return True

    def forget(self) -> None:
        """Begin anew: the other host was away, and its clock may have been set."""
        self._trips.clear()
