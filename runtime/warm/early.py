"""The beginning of the warm process, as the first thing that a launch script does.

Launcher and warm process then import what they need at the same time. Until `go` the new process imports only what is
installed on its host, and nothing of the bundle, which may not have been verified yet. Every import here would hold it
up: `os` and `sys` are there already.
"""

from __future__ import annotations

import _socket  # `socket` itself imports as long as the rest of this module takes
import contextlib
import os
import sys

from doraflow_runtime.warm.variables import CONFIGURATION, FOR_ONE_PROCESS, has_relative_entries, start_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TITLE_ROOM = 4096
"""Bytes by which the warm process's command line is longer than it needs to be: see `newborn`."""

_LAUNCHES_NOTHING = ("--check-health", "--help", "-h")
_FIRST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "first.py")  # noqa: PTH100, PTH118, PTH120 - pathlib costs an import
_CONFIGURATION_ROOM = 4096 + 1
"""Bytes of a variable in which each node shows the path of its configuration: as many as a path may have."""

_KILL = 9


class Warming:
    """A warm process on its way: its number, its environment, and our ends of its socket and its output."""

    __slots__ = ("environment", "line", "process", "stderr", "stdout")

    def __init__(self, process: int, environment: Mapping[str, str], line: int, stdout: int, stderr: int) -> None:
        self.process = process
        self.environment = environment
        self.line = line
        self.stdout = stdout
        self.stderr = stderr

    def go(self, path: Sequence[str]) -> None:
        """Let it import the runtime, with the entries of `path` first where modules are looked for."""
        with contextlib.suppress(OSError):  # its end is seen by whoever waits for it
            os.write(self.line, b"\0".join([b"go", *map(os.fsencode, path)]))

    def end(self) -> None:
        """End the process; the nodes that were forked live on. May be called twice. The caller reaps it."""
        if self.line >= 0:
            for descriptor in (self.line, self.stdout, self.stderr):
                os.close(descriptor)
            self.line = -1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process, _KILL)

    def leave_nothing(self) -> None:
        """End the process and reap it, if nobody has done so."""
        self.end()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process, 0)


def begin(arguments: Sequence[str], environment: Mapping[str, str]) -> Warming | None:
    """Start the warm process for a launch script with these arguments, unless that is of no use so early.

    It is not where nothing is launched, where nodes are executed since their interpreters are watched, where entries
    of PYTHONPATH depend on the folder that it starts in, and where there is no room for a process.
    """
    if has_relative_entries(environment) or any(environment.get(name) for name in FOR_ONE_PROCESS):
        return None
    if any(argument.startswith(_LAUNCHES_NOTHING) for argument in arguments):
        return None
    complete_standard_streams()
    try:
        return _start(start_environment(environment))
    except OSError:
        return None


def command_line(launcher: int, line: int) -> tuple[str, ...]:
    """Give the command line of a warm process of a launcher, with the number of its own end of their sockets."""
    return sys.executable, _FIRST, str(launcher), str(line), " " * TITLE_ROOM


def complete_standard_streams() -> None:
    """Put /dev/null where the caller has closed a standard stream, lest a pipe of a node take its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


def _start(environment: Mapping[str, str]) -> Warming:
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as failing:
        stdout, its_stdout = _pipe(failing, theirs)
        stderr, its_stderr = _pipe(failing, theirs)
        line, its_line = (each.detach() for each in _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET))
        failing.callback(os.close, line)
        theirs.callback(os.close, its_line)
        launcher = os.getpid()
        process = os.fork()
        if process == 0:
            padded = {**environment, CONFIGURATION: " " * _CONFIGURATION_ROOM}
            _execute(command_line(launcher, its_line), padded, (its_stdout, its_stderr, its_line))
        failing.pop_all()
    return Warming(process, environment, line, stdout, stderr)


def _execute(command: tuple[str, ...], environment: Mapping[str, str], ends: tuple[int, int, int]) -> None:
    """Become the warm process; never returns. Why that cannot be is told where its own words would stand."""
    stdout, stderr, line = ends
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        # Nothing but these, whatever whoever started the launcher has left open.
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
            with contextlib.suppress(OSError):  # the listing's own is closed
                os.set_inheritable(int(name), int(name) in (0, 1, 2, line))
        os.execve(command[0], command, environment)  # noqa: S606 - there is no subprocess yet to do it
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}".encode())
    finally:
        os._exit(1)


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    reader, writer = os.pipe()
    ours.callback(os.close, reader)
    theirs.callback(os.close, writer)
    return reader, writer
