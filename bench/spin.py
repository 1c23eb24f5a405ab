"""What `spin_us` gives and costs: how long single messages are on their way, and what their reader takes of a core.

Every value meets every pace in turn, round after round, so that ratios hold on a busy machine too. Two node processes,
as in `bench.messages`; the sender sleeps between two messages.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import product
from typing import TYPE_CHECKING

from bench.messages import measure, reader

if TYPE_CHECKING:
    from bench.messages import Figures

SPINS = (0, 20, 50, 200)
PACES = (0.05, 0.15, 1.0, 5.0)
SIZE = 64
SLEEPS_OVER = 0.07  # milliseconds that a sleep lasts longer than it was asked to


def main() -> None:
    """Measure and print the table."""
    given = _arguments()
    taken: dict[tuple[float, int], list[Figures]] = {pair: [] for pair in product(given.paces, given.spins)}
    for _ in range(given.rounds):
        for (pace, spin), rounds in taken.items():
            rounds.append(_measure(pace, spin, given.seconds))
    print("| sleep between messages | `spin_us` | p50 µs | p99 µs | p50 beside 0 | reader's share of a core |")
    print("|---|---|---|---|---|---|")
    for (pace, spin), rounds in taken.items():
        p50, p99, share = (statistics.median(getattr(one, name) for one in rounds) for name in ("p50", "p99", "share"))
        pairs = zip(rounds, taken[pace, given.spins[0]], strict=True)
        ratio = statistics.median(one.p50 / other.p50 for one, other in pairs)
        print(f"| {pace:g} ms | {spin} | {p50:.0f} | {p99:.0f} | {ratio:.2f} | {100 * share:.1f} % |")


def _measure(pace: float, spin: int, seconds: float) -> Figures:
    messages = max(20, int(seconds * 1000 / (pace + SLEEPS_OVER)))
    settings = {"SIZE": SIZE, "WAY": "copied", "SECONDS": 0.1, "PACED": messages, "PACE": pace / 1000}
    return measure({f"MESSAGES_{name}": str(value) for name, value in settings.items()}, reader(SIZE, spin))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.spin", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds over everything (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.4, metavar="S", help="length of each (default: 0.4)")
    parser.add_argument("--spins", type=int, nargs="+", default=SPINS, metavar="US", help="values of `spin_us`")
    parser.add_argument(
        "--paces", type=float, nargs="+", default=PACES, metavar="MS", help="how long the sender sleeps"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
