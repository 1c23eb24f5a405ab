"""How the processes of a run are started, and started again: Python nodes forked where that can be, others executed.

What becomes of a process once it is there is the supervisor's affair.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.launcher.forkable import forkable
from doraflow_runtime.launcher.spawn import Spawned, spawn
from doraflow_runtime.launcher.warm_start import WarmStart, start_late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.guardian import Guardian
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.run import Run

WARM_SECONDS = 10.0
"""How long the warm process may take; a disk that is slower than that is slow for every node by itself as well."""

Started: TypeAlias = tuple["Command", Spawned | OSError]


class Starter:
    """Starts the processes of a run."""

    __slots__ = ("_console", "_forked", "_guardian", "_loop", "_run", "_warm")

    def __init__(self, run: Run, loop: Loop, console: Console, guardian: Guardian) -> None:
        self._run = run
        self._loop = loop
        self._console = console
        self._guardian = guardian
        self._warm: WarmStart | None = None
        self._forked: frozenset[str] = frozenset()

    def start(self, configurations: Mapping[str, Path], is_stopping: Callable[[], bool]) -> Iterator[Started]:
        """Start every process, or as many as there are when the run is stopped; those to be executed come first.

        `configurations` says where the configuration of each node lies. The loop runs while the warm process warms up.
        """
        run = self._run
        warm = forkable(run.commands, run.environment, run.root)
        if warm:
            self._begin()
        elif run.warming is not None:
            run.warming.end()
        forked = {command.process.node for command in warm}
        cold = [command for command in run.commands if command.process.node not in forked]
        yield from self._execute(cold, configurations, is_stopping)
        if self._warm is None or not self._is_ready(self._warm, is_stopping):
            yield from self._execute(warm, configurations, is_stopping)
            return
        for command, outcome in self._warm.fork(warm, configurations):
            if outcome is not None:
                yield command, outcome
            else:
                yield from self._execute([command], configurations, is_stopping)
        if any(command.process.restart_policy != "never" for command in warm):
            self._forked = frozenset(forked)
        else:
            self._warm.close()  # no node is expected to come again

    def start_again(self, command: Command, configuration: Path) -> Spawned | OSError:
        """Start a process once more, in the way in which it was started before as far as that can be had."""
        node = command.process.node
        if self._warm is not None and node in self._forked:
            for _, outcome in self._warm.fork([command], {node: configuration}):
                if outcome is not None:
                    return outcome
                self._warm.give_up("it does not answer")
        try:
            return spawn(command, configuration, self._run.open_files)
        except OSError as error:
            return error

    def close(self) -> None:
        """End the warm process."""
        if self._warm is not None:
            self._warm.close()

    def _begin(self) -> None:
        run = self._run
        try:
            warming = run.warming or start_late(run.environment, run.root, run.directory, run.open_files)
            self._warm = WarmStart(warming, self._loop)
        except OSError:  # no room for a process: that is told of the first node
            if run.warming is not None:
                run.warming.end()
            return
        self._guardian.watch(self._warm.process)

    def _is_ready(self, warm: WarmStart, is_stopping: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + WARM_SECONDS
        while warm.is_warming and not is_stopping():
            left = deadline - time.monotonic()
            if left <= 0:
                warm.give_up(f"it was not ready within {WARM_SECONDS:g} s")
            else:
                self._loop.run_once(left)
        if warm.trouble:
            self._console.progress("cold_start", f"no node is forked from a warm process: {warm.trouble}")
        return warm.is_usable

    def _execute(
        self, commands: Sequence[Command], configurations: Mapping[str, Path], is_stopping: Callable[[], bool]
    ) -> Iterator[Started]:
        for command in commands:
            if is_stopping():
                return
            try:
                spawned = spawn(command, configurations[command.process.node], self._run.open_files)
            except OSError as error:
                yield command, error
            else:
                yield command, spawned
