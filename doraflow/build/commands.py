"""Build commands: a line of a `build:` text as the arguments of a process, without a shell."""

from __future__ import annotations

import shlex
import shutil
import sys
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PYTHON = ("python", "python3")
_PIP = ("pip", "pip3")
_INSTALLERS = (*_PIP, "uv")
SHELL_SIGNS = ("&&", "||", "|", ";", ">", ">>", "<", "2>", "2>&1", "&")


class CommandError(ValueError):
    """A command that cannot be started; the message says why."""


def arguments(command: str, environment: Mapping[str, str]) -> list[str]:
    """Split a command as a shell would, and find its program.

    `python` and `pip` are those of the interpreter that runs doraflow. Raises CommandError.
    """
    try:
        words = [Template(word).safe_substitute(environment) for word in shlex.split(command)]
    except ValueError:
        raise CommandError("its quotes are not balanced") from None
    if not words:
        raise CommandError("it is empty")
    program, rest = words[0], words[1:]
    if program in _PYTHON:
        return [sys.executable, *rest]
    if program in _PIP:
        return [sys.executable, "-m", "pip", *rest]
    found = shutil.which(program, path=environment.get("PATH"))
    if found is None:
        raise CommandError(f"there is no program `{program}`")
    return [found, *rest]


def shell_sign(command: str) -> str | None:
    """Find a word that only a shell would understand; None if there is none."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return next((word for word in words if word in SHELL_SIGNS), None)


def is_install(command: str) -> bool:
    """Tell whether a command installs Python packages."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return bool(words) and words[0] in _INSTALLERS and "install" in words
