"""A histogram of delays in buckets of equal ratio: four to an octave, from a microsecond to more than an hour.

Nodes fill it, launchers subtract and read it; both need the standard library alone. A percentile is right within an
eighth of its value, whatever the delays are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BUCKETS = 132
_NANOSECONDS = 1000


class Delays:
    """Counts of delays; `counts` has one for each bucket.

    >>> delays = Delays()
    >>> for microseconds in range(1, 101): delays.add(microseconds * 1000)
    >>> delays.percentile(50), delays.percentile(99)
    (52, 104)
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Sequence[int] | None = None) -> None:
        self.counts = [0] * BUCKETS if counts is None else list(counts)

    def add(self, delay_ns: int) -> None:
        """Count a delay, in nanoseconds; one below zero, between clocks that differ, counts as none."""
        microseconds = delay_ns // _NANOSECONDS
        if microseconds < 4:
            at = max(0, microseconds)
        else:
            octave = microseconds.bit_length() - 1
            at = min((octave - 1) * 4 + ((microseconds >> (octave - 2)) & 3), BUCKETS - 1)
        self.counts[at] += 1

    @property
    def total(self) -> int:
        """How many delays were counted."""
        return sum(self.counts)

    def since(self, before: Delays) -> Delays:
        """Give what was counted after `before`."""
        return Delays([max(0, now - then) for now, then in zip(self.counts, before.counts, strict=True)])

    def merge(self, other: Delays) -> None:
        """Add the counts of another."""
        self.counts = [one + two for one, two in zip(self.counts, other.counts, strict=True)]

    def percentile(self, percent: int) -> int | None:
        """Give the delay in microseconds that `percent` of all do not exceed, as the middle of its bucket."""
        wanted = self.total * percent
        if not wanted:
            return None
        seen = 0
        for at, count in enumerate(self.counts):
            seen += count * 100
            if seen >= wanted:
                return _middle(at)
        return _middle(BUCKETS - 1)

    def pairs(self) -> list[list[int]]:
        """Write the buckets that are not empty, as pairs of number and count."""
        return [[at, count] for at, count in enumerate(self.counts) if count]


def from_pairs(pairs: Iterable[Sequence[int]]) -> Delays:
    """Read what `pairs` wrote; a bucket that there is not is left out."""
    delays = Delays()
    for at, count in pairs:
        if 0 <= at < BUCKETS:
            delays.counts[at] = count
    return delays


def _middle(at: int) -> int:
    if at < 4:
        return at
    octave, step = at // 4 + 1, at % 4
    width = 1 << (octave - 2)
    return (4 + step) * width + width // 2
