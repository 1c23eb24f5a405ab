"""What is told of connections that said what CURVE does not let through."""

from __future__ import annotations

from doraflow_runtime.net.replays import QUIET_SECONDS, TOLD, Alarms


def test_a_stranger_who_comes_again_and_again_is_told_of_once_a_minute() -> None:
    told: list[str] = []
    now = [100.0]
    alarms = Alarms(told.append, lambda: now[0])
    for _ in range(3):
        alarms.raise_one()
    now[0] += QUIET_SECONDS
    alarms.raise_one()
    assert told == [TOLD, f"{TOLD}; 2 more since the last report"]
