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
_SHOWN = slice(45, 49)  # of the numbers in /proc/self/stat, counted from the state, which follows the name


class Shown:
    """Where in this process's memory lies what the kernel shows of it: in the same place in all that are forked."""

    __slots__ = ("_arguments", "_environment", "_variable")

    def __init__(self) -> None:
        """Find the places, and load what else is needed after the fork; what cannot be found is not changed."""
        kernel.prepare()
        self._arguments, self._environment = _places()
        self._variable = _variable_in(self._environment, CONFIGURATION)

    def command_line(self, title: str) -> None:
        """Show `title` as the command line, for ps and the like."""
        begin, room = self._arguments
        if room > TITLE_ROOM:
            # A last byte that is not 0 tells the kernel that the text ends at its first 0.
            text = os.fsencode(title)[: room - 2]
            ctypes.memmove(begin, text.ljust(room - 1, b"\0") + b".", room)

    def configuration(self, path: str) -> None:
        """Show the path of the node's configuration in its environment: what the node leaves behind is told by it."""
        begin, room = self._variable
        text = os.fsencode(path) + b"\0"
        if len(text) <= room:
            ctypes.memmove(begin, text, len(text))


def await_adoption(parent: int) -> None:
    """Wait until `parent`, which is about to end, has ended."""
    while os.getppid() == parent:
        time.sleep(_PAUSE)


def become(request: Request, descriptors: tuple[int, ...], shown: Shown) -> None:
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
        shown.command_line(" ".join(request.arguments))
        shown.configuration(request.environment.get(CONFIGURATION, ""))
        answer(answers, os.getpid())
        os.close(answers)
    except OSError as error:
        with contextlib.suppress(OSError):  # the launcher has given up on this node
            answer(answers, 0, error=error.errno or 0)
        os._exit(1)


def _places() -> tuple[tuple[int, int], tuple[int, int]]:
    """Find the addresses and lengths of the arguments and the environment that this process was executed with."""
    try:
        numbers = [int(text) for text in Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[_SHOWN]]
    except (OSError, ValueError):
        numbers = []
    if len(numbers) != _SHOWN.stop - _SHOWN.start:
        return (0, 0), (0, 0)
    arguments, arguments_end, environment, environment_end = numbers
    return (arguments, arguments_end - arguments), (environment, environment_end - environment)


def _variable_in(environment: tuple[int, int], name: str) -> tuple[int, int]:
    """Find the address of a variable's text, and how long it may be."""
    begin, room = environment
    mark = os.fsencode(f"{name}=")
    for item in ctypes.string_at(begin, room).split(b"\0") if room else ():
        if item.startswith(mark):
            return begin + len(mark), len(item) - len(mark)
        begin += len(item) + 1
    return 0, 0


def _seed() -> None:
    """Give this process random numbers of its own; `random` sees to itself at every fork."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
