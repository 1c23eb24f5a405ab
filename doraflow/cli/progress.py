"""Progress of build steps: a line for each as it begins and ends, on standard error."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from doraflow.ir import BuildStep

_WORDS = {"started": "building", "done": "built", "failed": "failed", "unchanged": "unchanged"}
_COLOURS = {"started": "blue", "done": "green", "failed": "red", "unchanged": "bright_black"}


class Progress:
    """Tells of build steps as they happen. Thread-safe: steps run in parallel."""

    def __init__(self) -> None:
        self._stream = sys.stderr  # as it is now: doit puts others in its place while a step runs
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}

    def notice(self, step: BuildStep, event: str) -> None:
        """Write a line for an event of a step: `started`, `done`, `failed` or `unchanged`."""
        now = time.monotonic()
        with self._lock:
            took = ""
            if event == "started":
                self._began[step.owner] = now
            elif step.owner in self._began:
                took = f" ({now - self._began[step.owner]:.1f} s)"
            word = typer.style(f"{_WORDS[event]:>9}", fg=_COLOURS[event])
            typer.echo(f"{word} {step.owner}{took}", file=self._stream)
