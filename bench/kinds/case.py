"""What a kind of measurement gives: cases to run, and figures from each."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bench.flow import Flow
from bench.running import Run

if TYPE_CHECKING:
    from bench.settings import Settings

Start = Callable[[Flow], AbstractContextManager[Run]]
"""Starts a flow with one peer; leaving the context ends it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: of a payload size, or of a number of nodes; the other is 0."""

    kind: str
    size: int = 0
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run. `way` is empty where payloads do not matter."""

    way: str
    metric: str
    unit: str
    value: float


class Kind(Protocol):
    """A kind of measurement, a module."""

    def cases(self, settings: Settings) -> list[Case]:
        """What to run."""

    def measure(self, start: Start, case: Case, settings: Settings) -> list[Figure]:
        """Run a case with one peer. Raises RunError."""


def percentile(values: list[int], share: float) -> float:
    """Take a percentile of nanoseconds as the nearest rank, in microseconds.

    >>> percentile([1000 * n for n in range(1, 101)], 0.99)
    99.0
    """
    return sorted(values)[math.ceil(share * len(values)) - 1] / 1000


def percentiles(way: str, values: list[int]) -> list[Figure]:
    """Give p50 and p99."""
    return [Figure(way, name, "µs", percentile(values, share)) for name, share in (("p50", 0.50), ("p99", 0.99))]
