"""What a process does between its fork and the first line of its node, so that it is as if it had been exec'ed.

Nothing here may fail in silence: what goes wrong before the answer is told to the launcher, which then knows that there
is no node.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import kernel
from doraflow_runtime.warm.request import answer
from doraflow_runtime.warm.variables import CONFIGURATION

if TYPE_CHECKING:
    from doraflow_runtime.warm.request import Request

TITLE_ROOM = 2048
"""Bytes that the warm process's command line is longer than it needs, so that a node can show its own there."""

_PAUSE = 0.0005
_STDOUT, _STDERR = 1, 2
_ARGUMENTS_BEGIN, _ENVIRONMENT_BEGIN = 45, 47  # in /proc/self/stat, counted from the state, which follows the name


def prepare() -> None:
    """Load what is needed after the fork."""
    kernel.prepare()


def await_adoption(parent: int) -> None:
    """Wait until `parent`, which is about to end, has ended."""
    while os.getppid() == parent:
        time.sleep(_PAUSE)


def become(request: Request, descriptors: tuple[int, ...]) -> None:
    """Turn this process into the node of a request, up to where its code begins. Does not return if it cannot."""
    stdout, stderr, answers = descriptors
    try:
        os.setsid()
        kernel.die_with_parent()
        if os.getppid() != request.launcher:
            os._exit(1)  # the launcher died before the promise was made
        os.chdir(request.folder)
        os.dup2(stdout, _STDOUT)
        os.dup2(stderr, _STDERR)
        os.close(stdout)
        os.close(stderr)
        os.environ.update(request.environment)
        _seed()
        show_as(" ".join(request.arguments))
        show_variable(CONFIGURATION, request.environment.get(CONFIGURATION, ""))
        answer(answers, os.getpid())
        os.close(answers)
    except OSError as error:
        with contextlib.suppress(OSError):  # the launcher has given up on this node
            answer(answers, 0, error=error.errno or 0)
        os._exit(1)


def show_as(title: str) -> None:
    """Show `title` as the command line of this process, for ps and the like; where that cannot be, nothing changes."""
    begin, room = _place(_ARGUMENTS_BEGIN)
    if room > TITLE_ROOM:
        # A last byte that is not 0 tells the kernel that the text ends at its first 0.
        text = os.fsencode(title)[: room - 2]
        ctypes.memmove(begin, text.ljust(room - 1, b"\0") + b".", room)


def show_variable(name: str, value: str) -> None:
    """Show a variable in the environment with which this process was executed, where it has room for `value`.

    What this process leaves behind can then be told from what belongs to other runs.
    """
    begin, room = _place(_ENVIRONMENT_BEGIN)
    try:
        executed_with = Path("/proc/self/environ").read_bytes() if room else b""
    except OSError:
        return
    mark, text = os.fsencode(f"{name}="), os.fsencode(value) + b"\0"
    for item in executed_with.split(b"\0"):
        if item.startswith(mark) and len(mark) + len(text) <= len(item):
            ctypes.memmove(begin + len(mark), text, len(text))
            return
        begin += len(item) + 1


def _place(field: int) -> tuple[int, int]:
    """Find where a part of what this process was executed with lies in its memory, and how long it is."""
    try:
        numbers = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        begin, end = int(numbers[field]), int(numbers[field + 1])
    except (OSError, IndexError, ValueError):
        return 0, 0
    return begin, end - begin


def _seed() -> None:
    """Give this process random numbers of its own; `random` sees to itself at every fork."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
