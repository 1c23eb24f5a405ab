"""Troubles with other hosts that were told, each of them once in a while.

Pure; times are seconds that the caller passes in.
"""

from __future__ import annotations

SAME_MATTER = 60.0
"""Seconds within which the same trouble with a host is told once."""
MOST_MATTERS = 64


class Matters:
    """What was told of late.

    >>> matters = Matters()
    >>> matters.is_to_tell("gpu", "it sent nonsense", 0.0), matters.is_to_tell("gpu", "it sent nonsense", 59.0)
    (True, False)
    """

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], float] = {}

    def is_to_tell(self, matter: str, words: str, now: float) -> bool:
        """Tell whether a trouble is to be told now, and take note that it is."""
        if now - self._told.get((matter, words), -SAME_MATTER) < SAME_MATTER:
            return False
        if len(self._told) >= MOST_MATTERS:
            self._told.clear()
        self._told[matter, words] = now
        return True
