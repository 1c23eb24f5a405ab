"""A run in which all nodes have got one message and wait for the next, which does not come."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bench.kinds.startup import greeting
from bench.nodes.board import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.kinds.case import Case, Start
    from bench.running import Run
    from bench.settings import Settings

SETTLE = 1.0  # seconds


@contextlib.contextmanager
def waiting(start: Start, case: Case, settings: Settings) -> Iterator[Run]:
    """Start such a run; leaving the context lets it end. Raises RunError."""
    with start(greeting(case, waits=1)) as run:
        run.wait_for_sinks(FIRST, settings.limit)
        time.sleep(SETTLE)
        yield run
        with (run.folder / "gate").open("wb"):
            pass  # the source reads the end of the pipe
        run.wait(settings.limit)
