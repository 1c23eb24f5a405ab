"""Build commands: a line of a `build:` text as the arguments of a process, without a shell."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.analysis.command_line import filled_words, split_words, syntax_in_command
from doraflow.build.mends import mend_of_program
from doraflow.codegen.pip_commands import asks_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping

_PYTHON = ("python", "python3")
_PIP = ("pip", "pip3")


class CommandError(ValueError):
    """A command that cannot be started; the message says why, `mend` what to do."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


def arguments(command: str, environment: Mapping[str, str], folder: Path) -> list[str]:
    """Split a command as a shell would, and find its program; a relative path leads from `folder`.

    `python` and `pip` are those of the interpreter that runs doraflow. Raises CommandError.
    """
    words = filled_words(command, environment)
    if words is None:
        raise CommandError("its quotes are not balanced", "close the quote that is open")
    if not words:
        raise CommandError("it is empty", "write a command, or remove the line")
    program, rest = words[0], words[1:]
    if program in _PYTHON:
        return [sys.executable, *rest]
    if program in _PIP:
        return [sys.executable, "-m", "pip", *rest]
    wanted = str(folder.absolute() / program) if "/" in program else program
    found = shutil.which(wanted, path=environment.get("PATH"))
    if found is None and Path(wanted).is_file():
        raise CommandError(f"`{program}` may not be executed", f"run `chmod +x {wanted}`")
    if found is None:
        raise CommandError(f"there is no program `{program}`", mend_of_program(program))
    return [found, *rest]


def shell_syntax(command: str) -> str | None:
    """Find what only a shell would understand in a command; None if there is nothing."""
    return syntax_in_command(split_words(command) or ())


def is_install(command: str) -> bool:
    """Tell whether a command installs Python packages."""
    return asks_to_install([word.text for word in split_words(command) or ()])
