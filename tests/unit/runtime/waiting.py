"""Waits of tests for what must come to be so, with a bound: what never comes fails, and is not waited for for ever."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 20.0
ENDED = ("Z (zombie)", "X (dead)")


def wait_until(is_so: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.001)


def wait_for_state(process: int, state: str) -> None:
    """Wait until the kernel tells a child's `state`, as "S (sleeping)"; one that has ended fails at once."""

    def is_there() -> bool:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        found = next(line.partition("\t")[2] for line in lines if line.startswith("State:"))
        assert found not in ENDED, f"process {process} has ended: it is never {state}"
        return found == state

    wait_until(is_there)
