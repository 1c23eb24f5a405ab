"""How much is measured: sizes, rounds, and how long each measurement takes.

Nothing here measures.
"""

from __future__ import annotations

from dataclasses import dataclass

SIZES = (8, 512, 4096, 40_960, 409_600, 4_194_304, 41_943_040)
QUICK_SIZES = (8, 4096, 4_194_304)
LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run of the benchmark was asked for. `messages` are of one size and way, in one round."""

    sizes: tuple[int, ...] = SIZES
    rounds: int = 5
    messages: int = 300
    pace_us: int = 5000
    flood_ms: int = 1000
    many: tuple[int, ...] = (20, 100)
    waiting: int = 20
    idle_seconds: float = 10.0
    limit: float = 120.0

    def choose(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of `wanted` that were asked for; all that were asked for if those are none of them."""
        return tuple(size for size in self.sizes if size in wanted) or self.sizes

    def messages_of(self, size: int) -> int:
        """Fewer messages of the largest sizes, whose copies take long."""
        return self.messages if size < LARGE else max(10, self.messages // (2 if size < 10 * LARGE else 5))


QUICK = Settings(QUICK_SIZES, 1, messages=100, flood_ms=300, limit=40.0)
