"""The soak test's command: `python -m bench.soak --minutes N`."""

from __future__ import annotations

import argparse
import random
import sys
import time

from bench.soak.round import play
from bench.soak.verdict import Verdict


def main() -> int:
    """Play rounds until the time is over, print the figures, and give the exit code: 1 if anything was wrong."""
    given = _arguments()
    chance = random.Random(given.seed)
    total = Verdict()
    deadline = time.monotonic() + 60 * given.minutes
    while not total.rounds or time.monotonic() < deadline:
        seed = chance.randrange(2**32)
        played = play(given.seconds, seed)
        total.add(played)
        print(f"round {total.rounds}: {played.messages:,} messages, {played.kills} kills", file=sys.stderr)
        if played.faults:
            print(f"seed {seed}:", *played.faults, sep="\n  ", file=sys.stderr)
    print(total.text())
    return int(bool(total.faults))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description="Send checksummed messages between real processes at full speed while some of them are killed.",
    )
    parser.add_argument("--minutes", type=float, default=5.0, metavar="N", help="how long (default: 5)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="length of a round (default: 5)")
    parser.add_argument("--seed", type=int, metavar="N", help="for the same kills at the same times")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
