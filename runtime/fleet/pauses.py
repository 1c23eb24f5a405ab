"""When to say again what goes on for long: after a moment, then after pauses that double.

Times are seconds that the caller passes in.
"""

from __future__ import annotations

FIRST = 1.0
LONGEST = 60.0


class Pauses:
    """Pauses between words on the same matter.

    >>> pauses = Pauses(now=0.0)
    >>> [second for second in range(12) if pauses.is_due(float(second))]
    [1, 6]
    """

    __slots__ = ("_next", "_pause")

    def __init__(self, now: float) -> None:
        self._next = now + FIRST
        self._pause = 5.0

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to say something, and take it for said."""
        if now < self._next:
            return False
        self._next = now + self._pause
        self._pause = min(LONGEST, self._pause * 2)
        return True
