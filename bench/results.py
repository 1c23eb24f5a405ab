"""The figures of a benchmark as they are kept: rounds of each, their medians and spread, and the ratios.

`Results` is what `--json` writes and what `bench.report` reads. Nothing here measures.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bench.kinds.case import Case, Figure

OURS = "doraflow"
ARRAYS = f"{OURS}-arrow"
"""The same, with readers that take Arrow arrays."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one peer over all rounds."""

    kind: str
    size: int
    nodes: int
    way: str
    metric: str
    unit: str
    peer: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.rounds)

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """What is the same for all peers."""
        return (self.kind, self.size, self.nodes, self.way, self.metric)


@dataclass(frozen=True, slots=True)
class Failure:
    """A run without figures, or without some of them; the first line of the reason says all in short."""

    peer: str
    kind: str
    size: int
    nodes: int
    round: int
    reason: str

    @property
    def short(self) -> str:
        """The first line of the reason."""
        return self.reason.splitlines()[0]


@dataclass(slots=True)
class Results:
    """A whole benchmark, or as much of it as was measured: `runs` were made, in their order."""

    machine: dict[str, Any] = field(default_factory=dict)
    load_after: float = 0.0
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    runs: int = 0

    def add(self, peer: str, case: Case, figures: Iterable[Figure]) -> None:
        """Add the figures of one run."""
        for figure in figures:
            key = (case.kind, case.size, case.nodes, figure.way, figure.metric)
            for place, row in enumerate(self.rows):
                if row.peer == peer and row.key == key:
                    self.rows[place] = Row(*key, figure.unit, peer, (*row.rounds, figure.value))
                    break
            else:
                self.rows.append(Row(*key, figure.unit, peer, (figure.value,)))

    def find(self, peer: str, kind: str, size: int, nodes: int, way: str, metric: str) -> Row | None:
        """Look a row up."""
        key = (kind, size, nodes, way, metric)
        return next((row for row in self.rows if row.peer == peer and row.key == key), None)

    def has_figures(self, peer: str, case: Case) -> bool:
        """Whether any run of a case has given a figure."""
        key = (peer, case.kind, case.size, case.nodes)
        return any((row.peer, row.kind, row.size, row.nodes) == key for row in self.rows)

    def failed(self, peer: str, kind: str, size: int, nodes: int) -> list[Failure]:
        """The failures of a case with one peer."""
        case = (peer, kind, size, nodes)
        return [one for one in self.failures if (one.peer, one.kind, one.size, one.nodes) == case]

    def ratio(self, row: Row) -> float | None:
        """How many times doraflow's median a row's is."""
        ours = self.find(OURS, *row.key)
        return None if ours is None or not ours.median else row.median / ours.median

    def peers(self) -> list[str]:
        """The peers that have figures, in order."""
        return [peer for peer in self.versions if any(row.peer == peer for row in self.rows)]

    def text(self) -> str:
        """Write everything as JSON, a row a line; medians, spread and ratios are for readers, and never read."""
        content = asdict(self)
        for row, written in zip(self.rows, content["rows"], strict=True):
            written |= {"median": row.median, "min": min(row.rounds), "max": max(row.rounds), "ratio": self.ratio(row)}
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in content.pop("rows"))
        head = json.dumps(content, indent=1, ensure_ascii=False).removesuffix("\n}")
        return f'{head},\n "rows": [\n{rows}\n]}}\n'


def read(path: Path) -> Results:
    """Read what `Results.text` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    derived = {"median", "min", "max", "ratio"}
    rows = [{name: value for name, value in row.items() if name not in derived} for row in content.pop("rows")]
    failures = [Failure(**failure) for failure in content.pop("failures")]
    return Results(**content, failures=failures, rows=[Row(**{**row, "rounds": tuple(row["rounds"])}) for row in rows])
