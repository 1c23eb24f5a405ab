"""Starting the process of a node: its own session, its CPUs, and a promise to die with the launcher.

What becomes of the process afterwards is the supervisor's affair.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.launcher import kernel
from doraflow_runtime.warm.variables import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow_runtime.launcher.commands import Command


FileLimit: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that was started. It leads the process group of its own number; both pipes are non-blocking."""

    number: int
    stdout: int
    stderr: int


def allow_many_files() -> FileLimit:
    """Let this process open as many files as it may: each node costs four. The limit of before is for the nodes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft, hard


def spawn(command: Command, configuration: Path, limit: FileLimit, kept: tuple[int, ...] = ()) -> Spawned:
    """Start a node's process, telling it where its configuration lies. Raises OSError.

    It inherits the descriptors `kept`. The caller reaps it and closes the pipes. To be called while this process has
    one thread.
    """
    kernel.prepare()
    process = subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env={**command.environment, CONFIGURATION: str(configuration)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=kept,
        preexec_fn=_in_child(os.getpid(), command.process.cpu_affinity, limit),  # noqa: PLW1509 - the launcher has one thread
    )
    return _taken_over(process)


def _in_child(parent: int, cpus: tuple[int, ...], limit: FileLimit) -> Callable[[], None]:
    def bind() -> None:
        kernel.die_with_parent()
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)  # the launcher died before the promise was made
        if cpus:
            os.sched_setaffinity(0, cpus)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)

    return bind


def _taken_over(process: subprocess.Popen[bytes]) -> Spawned:
    """Take the pipes and the duty to reap away from the Popen object, which would else wait on its own."""
    descriptors = []
    for pipe in (process.stdout, process.stderr):
        if pipe is None:
            raise ValueError("the process was started without its pipes")
        descriptors.append(os.dup(pipe.fileno()))
        pipe.close()
        os.set_blocking(descriptors[-1], False)
    process.returncode = 0
    return Spawned(process.pid, *descriptors)
