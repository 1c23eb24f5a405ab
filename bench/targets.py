"""What doraflow is to reach beside its peers, and whether the figures of a run reach it.

A target is a bound on the ratio of two medians of one run, or on a median itself. Nothing here measures or prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.results import ARRAYS, OURS
from bench.words import size

if TYPE_CHECKING:
    from bench.results import Results, Row

HEAD = ("target", "figure", "needed", "reached", "worst", "not reached")
KB = 1024
NO_END = 1 << 62


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one metric of a kind, for all payload sizes from `least` to `most` bytes and all of `ways`.

    `bound` is how many times the peer's median ours may be, or how many times it must be at least if `is_floor`.
    Without `peers` it bounds our median itself; of several, the best one counts. `ours` is which of us is compared.
    """

    text: str
    kind: str
    metric: str
    bound: float
    peers: tuple[str, ...] = ()
    is_floor: bool = False
    ways: tuple[str, ...] = ("copied", "loaned")
    least: int = 0
    most: int = NO_END
    nodes: int = 0
    ours: str = OURS


@dataclass(frozen=True, slots=True)
class Judged:
    """A target with the ratios of a run, the worst of them first; each with the name of what it is of."""

    target: Target
    ratios: tuple[tuple[float, str], ...]

    @property
    def missed(self) -> tuple[tuple[float, str], ...]:
        """Those that do not reach it."""
        return tuple(one for one in self.ratios if not _reaches(self.target, one[0]))

    def cells(self) -> tuple[str, ...]:
        """Write it as the cells of a table under `HEAD`."""
        target = self.target
        needed = f"{'≥' if target.is_floor else '≤'} {target.bound:.3g}{'x' if target.peers else ''}"
        if not self.ratios:
            return (target.text, target.metric, needed, "not measured", "", "")
        count = len(self.ratios) - len(self.missed)
        reached = "yes" if not self.missed else "no" if not count else f"{count} of {len(self.ratios)}"
        missed = "; ".join(f"{name} {ratio:.2g}".strip() for ratio, name in self.missed)
        worst, where = self.ratios[0]
        return (
            target.text,
            target.metric,
            needed,
            reached,
            f"{worst:.2g} ({where})" if where else f"{worst:.2g}",
            missed,
        )


def judge(results: Results, targets: tuple[Target, ...]) -> list[Judged]:
    """Compare a run's medians with some targets. A peer that has no figure is not compared with."""
    return [Judged(target, tuple(_ratios(results, target))) for target in targets]


def _ratios(results: Results, target: Target) -> list[tuple[float, str]]:
    found = []
    for row in results.rows:
        if row.peer == target.ours and _is_of(target, row):
            if not target.peers:
                found.append((row.median, ""))
            theirs = [other for peer in target.peers if (other := results.find(peer, *row.key)) and other.median]
            if theirs:
                best = (max if target.is_floor else min)(theirs, key=lambda other: other.median)
                found.append((row.median / best.median, _name(row, best, target)))
    return sorted(found, reverse=not target.is_floor)


def _is_of(target: Target, row: Row) -> bool:
    is_asked = (row.kind, row.metric, row.nodes) == (target.kind, target.metric, target.nodes)
    return is_asked and (not row.way or row.way in target.ways) and target.least <= row.size <= target.most


def _name(row: Row, best: Row, target: Target) -> str:
    words = [size(row.size)] if row.size else []
    words += [row.way] if row.way and len(target.ways) > 1 else []
    return " ".join([*words, *([best.peer] if len(target.peers) > 1 else [])])


def _reaches(target: Target, ratio: float) -> bool:
    return ratio >= target.bound if target.is_floor else ratio <= target.bound


def _latency(text: str, metric: str, bound: float, *peers: str, ways: tuple[str, ...] = ("copied", "loaned")) -> Target:
    return Target(text, "latency", metric, bound, peers, ways=ways)


def _arrays(text: str, kind: str, metric: str, bound: float, *, least: int = 0, most: int = NO_END) -> Target:
    is_floor = metric == "rate"
    return Target(text, kind, metric, bound, ("dora",), ours=ARRAYS, is_floor=is_floor, least=least, most=most)


TARGETS = (
    _latency("one way, beside dora", "p50", 1 / 4, "dora"),
    _latency("one way, beside dora", "p99", 1 / 3, "dora"),
    Target("one way of 8 B, beside the floor", "latency", "p50", 2.5, ("floor",), most=8),
    Target(
        "one way of 40 MB loaned, beside the floor",
        *("latency", "p50", 2.5, ("floor",)),
        ways=("loaned",),
        least=40 * KB * KB,
    ),
    _latency("one way, beside zenoh", "p50", 1, "zenoh"),
    _latency("one way, beside zenoh", "p99", 1, "zenoh"),
    _latency("one way, beside ZeroMQ", "p50", 1, "zmq"),
    _latency("one way, beside ZeroMQ", "p99", 1, "zmq"),
    _latency("one way loaned, beside iceoryx2", "p50", 1, "iceoryx2", ways=("loaned",)),
    _latency("one way loaned, beside iceoryx2", "p99", 1, "iceoryx2", ways=("loaned",)),
    Target("flood up to 40 KB, beside dora", "throughput", "rate", 4, ("dora",), is_floor=True, most=40 * KB),
    Target("flood above 40 KB, beside dora", "throughput", "rate", 8, ("dora",), is_floor=True, least=40 * KB + 1),
    _arrays("one way, arrays beside dora's", "latency", "p50", 1 / 4),
    _arrays("one way, arrays beside dora's", "latency", "p99", 1 / 3),
    _arrays("flood up to 40 KB, arrays beside dora's", "throughput", "rate", 4, most=40 * KB),
    _arrays("flood above 40 KB, arrays beside dora's", "throughput", "rate", 8, least=40 * KB + 1),
    Target(
        "flood below 4 KB, beside the best of the others",
        *("throughput", "rate", 0.8, ("zenoh", "iceoryx2", "zmq")),
        is_floor=True,
        most=4 * KB - 1,
    ),
    Target(
        "flood from 4 KB, beside the best of the others",
        *("throughput", "rate", 1, ("zenoh", "iceoryx2", "zmq")),
        is_floor=True,
        least=4 * KB,
    ),
    Target("fan-out, beside dora", "fanout", "p50", 1 / 4, ("dora",)),
    Target("relay, beside dora", "relay", "p50", 1 / 4, ("dora",)),
    _arrays("fan-out, arrays beside dora's", "fanout", "p50", 1 / 4),
    _arrays("relay, arrays beside dora's", "relay", "p50", 1 / 4),
    Target("2 nodes, beside dora", "startup", "ready", 1 / 2, ("dora",), nodes=2),
    Target("20 nodes, beside dora", "many", "ready", 1 / 4, ("dora",), nodes=20),
    Target("100 nodes, seconds", "many", "ready", 2, nodes=100),
    Target("100 nodes, seconds", "many", "ended", 3, nodes=100),
    Target("20 waiting nodes, % of a core", "idle", "CPU", 0.1, nodes=20),
)
