"""What the reports of one round say: how much was moved, and what should not have happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bench.soak.flow import EDGES, OUTPUTS, Edge

Report: TypeAlias = "dict[str, Any]"


@dataclass(slots=True)
class Verdict:
    """The sums of some rounds. `faults` tells of everything that breaks a promise; it stays empty."""

    messages: int = 0
    bytes: int = 0
    dropped: int = 0
    lost: int = 0
    rounds: int = 0
    kills: int = 0
    pauses: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """Count another round."""
        self.messages += other.messages
        self.bytes += other.bytes
        self.dropped += other.dropped
        self.lost += other.lost
        self.rounds += other.rounds
        self.kills += other.kills
        self.pauses += other.pauses
        self.faults += other.faults

    def text(self) -> str:
        """Lay the figures out in a few lines."""
        lines = [
            f"{self.messages:,} messages and {self.bytes / 1e9:,.1f} GB received in {self.rounds} rounds",
            f"{self.kills} nodes killed and {self.pauses} stopped for a moment",
            f"{self.lost} messages lost; {self.dropped:,} dropped where that was allowed, all counted",
            *(f"fault: {fault}" for fault in self.faults),
        ]
        return "\n".join(lines)


def judge(reports: dict[str, Report], killed: set[str]) -> Verdict:
    """Compare what was sent with what was received. A node that was killed has no report."""
    verdict = Verdict(rounds=1, kills=len(killed))
    for name in OUTPUTS:
        report = reports.get(name)
        if report is None:
            if name not in killed:
                verdict.faults.append(f"`{name}` ended without a report")
            continue
        verdict.messages += sum(report["received"].values())
        verdict.bytes += report["bytes"]
        verdict.faults += [f"`{name}`: {fault}" for fault in report["faults"]]
        if report["slots"]:
            verdict.faults.append(f"`{name}` misses {report['slots']} slots at the end")
    for edge in EDGES:
        if edge.consumer in reports:
            _judge_edge(edge, reports, verdict)
    return verdict


def _judge_edge(edge: Edge, reports: dict[str, Report], verdict: Verdict) -> None:
    """Judge one edge by itself: also of a killed sender every message before its last must be there."""
    reader = reports[edge.consumer]
    if edge.input not in reader["closed"]:
        verdict.faults.append(f"`{edge.consumer}` was not told that `{edge.input}` is closed")
    sender = reports.get(edge.producer)
    after = sender["sent"].get(edge.output, 0) - 1 - reader["last"].get(edge.input, -1) if sender else 0
    missing = reader["gaps"].get(edge.input, 0) + after
    if edge.is_lossless:
        verdict.lost += missing
        if missing:
            verdict.faults.append(f"`{edge.consumer}/{edge.input}` lost {missing} messages")
    elif sender:
        counted = reader["dropped"][edge.input] + sender["undelivered"][f"{edge.consumer}/{edge.input}"]
        verdict.dropped += counted
        if missing != counted:
            verdict.faults.append(f"`{edge.consumer}/{edge.input}` misses {missing} messages, {counted} were counted")
