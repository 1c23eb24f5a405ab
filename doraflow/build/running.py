"""Running one build step: its commands one after the other, their output in a log file.

Each command is a process group of its own, so that nothing is left when the build is interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from doraflow.build.commands import CommandError, arguments, is_install, shell_syntax
from doraflow.build.mends import mend_of_output
from doraflow.disk import search_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow.ir import BuildStep

TAIL_LINES = 20
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A step that failed: the command, and its exit code or why it could not be started; what mends it, if known."""

    step: BuildStep
    command: str
    exit_code: int | None
    reason: str
    folder: Path
    log: Path
    tail: tuple[str, ...]
    mend: str | None = None

    @property
    def shell_syntax(self) -> str | None:
        """What only a shell would understand in the command."""
        return shell_syntax(self.command)


class Processes:
    """The processes of a build that are running; thread-safe.

    `installing` is held by the one command that installs packages: two installers at work in one environment would
    overwrite each other's files.
    """

    def __init__(self) -> None:
        self.installing = threading.Lock()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_ended = False

    @contextmanager
    def started(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Keep a process among the running ones for the length of the block."""
        with self._lock:
            self._running.add(process)
            ended = self._is_ended
        if ended:
            _kill(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)

    def end(self) -> None:
        """Kill all running processes with their children, and every one that is still to be started."""
        with self._lock:
            self._is_ended = True
            running = tuple(self._running)
        for process in running:
            _kill(process)


def run_step(step: BuildStep, folder: Path, log: Path, processes: Processes) -> StepFailure | None:
    """Run the commands of a step until one fails; None if all went well. The log file is written anew."""
    place = folder / step.working_directory
    environment = {**os.environ, "PATH": search_path(), **step.env}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        for command in step.commands:
            output.write(f"$ {command}\n".encode())
            output.flush()
            try:
                with processes.installing if is_install(command) else nullcontext():
                    code = _run(arguments(command, environment, place), place, environment, output, processes)
            except (CommandError, OSError) as error:
                return StepFailure(step, command, None, _reason(error), place, log, (), _mend(error))
            if code:
                printed = _printed(log, command)
                mend = mend_of_output(printed, step.owner, code)
                return StepFailure(step, command, code, "", place, log, tuple(printed[-TAIL_LINES:]), mend)
    return None


def _run(words: list[str], place: Path, environment: dict[str, str], output: BinaryIO, processes: Processes) -> int:
    process = subprocess.Popen(
        words,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with processes.started(process):
        return process.wait()


def _reason(error: CommandError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{(error.strerror or str(error)).lower()}: `{error.filename}`"
    return str(error)


def _mend(error: CommandError | OSError) -> str:
    if isinstance(error, CommandError):
        return error.mend
    if error.errno == errno.ENOEXEC:
        return f"begin `{error.filename}` with the program that reads it, such as `#!/usr/bin/env python3`"
    return f"create `{error.filename}`, or get the right to use it"


def _printed(log: Path, command: str) -> list[str]:
    """Read the last lines of a log, from the line of the last command on if that is among them."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = stream.read().decode("utf-8", "replace").splitlines()
    lines = [line.rstrip() for line in lines]
    starts = [index for index, line in enumerate(lines) if line == f"$ {command}"]
    return lines[starts[-1] :] if starts else lines


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself
