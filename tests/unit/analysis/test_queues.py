from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

FLOW = "nodes:\n  - id: a\n    path: a.py\n    inputs:\n      x: {{source: {source}, queue_policy: {policy}}}\n"


@pytest.mark.parametrize(("source", "sender"), [("dora/timer/hz/1", "a timer"), ("dora/logs", "the log")])
def test_holding_back_what_cannot_be_held_back_is_a_warning(check: Check, source: str, sender: str) -> None:
    finding = check(FLOW.format(source=source, policy="backpressure")).only("DF405")
    assert finding.message == (
        f"`x` of `a` reads {sender}, which cannot be held back: when the queue is full, the oldest message is dropped"
    )
    assert finding.severity == "warning"
    assert str(finding.span) == f"flow.yml:5:{35 + len(source)}"


def test_an_output_that_carries_a_log_cannot_be_held_back(check: Check) -> None:
    log = "  - id: b\n    path: b.py\n    send_logs_as: l\n    outputs: [l]\n"
    finding = check(FLOW.format(source="b/l", policy="backpressure") + log).only("DF405")
    assert finding.message == (
        "`x` of `a` reads `b/l`, the log of `b`, which cannot be held back: "
        "when the queue is full, the oldest message is dropped"
    )


def test_dropping_ticks_is_fine(check: Check) -> None:
    assert check(FLOW.format(source="dora/timer/hz/1", policy="drop_oldest")).told == []
