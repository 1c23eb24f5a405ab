"""The programs that the build of a dataflow needs: those of its build commands, and git for its sources."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from doraflow.build.commands import CommandError, arguments
from doraflow.disk import search_path
from doraflow.doctor.facts import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow.ir import BuildStep
    from doraflow.pipeline import Compilation

_PIP = ("pip", "pip3")  # run as a module of this Python


def needed_tools(made: Compilation) -> tuple[Tool, ...]:
    """List the programs in the order of the file, each once."""
    found: dict[str, Tool] = {}
    for node in made.graph.nodes if made.graph is not None else ():
        if node.git is not None:
            found.setdefault("git", Tool("git", node.id, shutil.which("git") is not None))
    for step in made.steps():
        for tool in _of_step(step, made.folder):
            found.setdefault(tool.program, tool)
    return tuple(found.values())


def _of_step(step: BuildStep, folder: Path) -> Iterator[Tool]:
    environment = {"PATH": search_path(), **step.env}
    for command in step.commands:
        program = command.split()[0] if command.split() else ""
        try:
            arguments(command, environment, folder / step.working_directory)
        except CommandError:
            yield Tool(program, step.owner, is_there=False)
        else:
            yield Tool(program, step.owner, is_there=program not in _PIP or find_spec("pip") is not None)
