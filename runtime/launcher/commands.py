"""The command of each process: what is executed, where and with which environment, checked before anything starts.

Only what can be told from the outside is checked; a command that passes may still fail to start.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.environment import UndefinedError, expand, expand_path
from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doraflow_runtime.contract import Process

CODE = "DF801"
SHELL = "/bin/sh"
_LONGEST_INTERPRETER_LINE = 256


@dataclass(frozen=True, slots=True)
class Command:
    """Everything that is needed to start a process, but its configuration."""

    process: Process
    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


class _RefusedError(Exception):
    """One reason why a node cannot be executed, and its mend."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


def commands(processes: Sequence[Process], root: Path, shared: Mapping[str, str]) -> tuple[Command, ...]:
    """Make the command of each process, with the sources under `root`.

    Raises LaunchError with a finding for every process that cannot be executed.
    """
    made, found = [], []
    for process in processes:
        try:
            made.append(_command(process, root, shared))
        except _RefusedError as refused:
            found.append(not_executable(process, refused.reason, refused.mend))
    if found:
        raise LaunchError(*found)
    return tuple(made)


def not_executable(process: Process, reason: str, mend: str) -> Finding:
    """Say that a node cannot be executed."""
    message = f"`{process.node}` cannot be executed: {reason}"
    return Finding(CODE, message, node=process.node, place=process.place, help=mend)


def refused_by_system(command: Command, error: OSError) -> Finding:
    """Say why the system would not start a command that looked well."""
    program = command.arguments[0]
    if error.errno in (errno.ENOEXEC, errno.ENOENT):
        reason = f"`{program}` is neither a program for this machine nor a script that names its interpreter"
        mend = "let its first line be `#!` and an interpreter, or build the program for this machine"
    elif error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE):
        reason = f"the system has no room for another process: {cause(error)}"
        mend = "raise the limits of this user (`ulimit -u`, `ulimit -n`), or start fewer nodes"
    else:
        reason, mend = f"`{program}`: {cause(error)}", "let this user execute the file"
    return not_executable(command.process, reason, mend)


def _command(process: Process, root: Path, shared: Mapping[str, str]) -> Command:
    folder = root / process.working_directory
    if not folder.is_dir():
        raise _RefusedError(f"its working directory `{folder}` does not exist", "create the directory")
    missing = [cpu for cpu in process.cpu_affinity if cpu not in os.sched_getaffinity(0)]
    if missing:
        usable = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        reason = f"it is bound to CPU {missing[0]}, and this machine offers {usable}"
        raise _RefusedError(reason, "correct the node's `cpu_affinity`")
    environment = {**shared, **dict(_own_environment(process))}
    return Command(process, tuple(_arguments(process, root, environment)), folder, environment)


def _own_environment(process: Process) -> Iterator[tuple[str, str]]:
    for name, text in process.env.items():
        try:
            yield name, expand(text, os.environ)
        except UndefinedError as error:
            reason = f"its variable `{name}` is `{text}`, and `{error.name}` is not set on this host"
            mend = f"set `{error.name}` before the start; a dollar sign itself is written `$$`"
            raise _RefusedError(reason, mend) from None


def _arguments(process: Process, root: Path, environment: Mapping[str, str]) -> list[str]:
    match process.kind:
        case "python":
            return [sys.executable, str(_existing(root / _path(process))), *process.args]
        case "operators":
            return [sys.executable, "-m", "doraflow_runtime.operators"]
        case "shell":
            return [SHELL, "-c", " ".join(process.args)]
        case "executable":
            return [str(_program(process, root, environment)), *process.args]


def _program(process: Process, root: Path, environment: Mapping[str, str]) -> Path:
    written = _path(process)
    path = root / written
    if "/" not in written and not path.is_file():
        found = shutil.which(written, path=environment.get("PATH", os.defpath))
        if found is None:
            reason = f"`{written}` is neither a file in `{root}` nor a command on PATH"
            raise _RefusedError(reason, f"install `{written}`, or write the path of the file")
        return Path(found)
    _existing(path)
    if not os.access(path, os.X_OK):
        raise _RefusedError(f"`{path}` is not executable", f"run `chmod +x {path}`")
    _check_interpreter(path)
    return path


def _path(process: Process) -> str:
    try:
        return expand_path(process.path, os.environ)
    except UndefinedError as error:
        reason = f"its path is `{process.path}`, and `{error.name}` is not set on this host"
        raise _RefusedError(reason, f"set `{error.name}` before the start, or write the path itself") from None


def _existing(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise _RefusedError(f"`{path}` does not exist", "create the file, or correct the node's `path`") from None
    except OSError as error:
        raise _RefusedError(f"`{path}`: {cause(error)}", "give this user access to the file") from None
    if not stat.S_ISREG(mode):
        raise _RefusedError(f"`{path}` is not a file", "let the node's `path` name a file")
    return path


def _check_interpreter(path: Path) -> None:
    """Name a missing interpreter; the system would say that the script itself is missing."""
    with path.open("rb") as file:
        line = file.readline(_LONGEST_INTERPRETER_LINE)
    if not line.startswith(b"#!"):
        return
    interpreter = os.fsdecode(line[2:].strip().split(None, 1)[0]) if line[2:].strip() else ""
    if not Path(interpreter).is_file():
        reason = f"`{path}` asks for the interpreter `{interpreter}`, which does not exist"
        raise _RefusedError(reason, f"install `{interpreter}`, or correct the first line of the file")
