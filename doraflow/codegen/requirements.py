"""What a host needs: pyarrow, and what the nodes' build steps install with pip.

Only `pip install` lines are read. A path of the project is left out with a comment, since it is not in the bundle.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow.ir import BuildStep, Plan

PYARROW = "pyarrow==26.0.1"
"""The version that this release is tested with; one pin, so that every build writes the same."""

_PIP = (["pip", "install"], ["pip3", "install"], ["uv", "pip", "install"], ["python", "-m", "pip", "install"])
_WITH_VALUE = {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-c", "--constraint", "--target"}


def requirements_file(plan: Plan, files: Mapping[str, bytes]) -> GeneratedFile:
    """Render `requirements.txt`; `files` are the sources, among them the requirement files that `-r` names."""
    lines = ["# What a host needs to run this bundle.", PYARROW]
    seen = {_project(PYARROW)}
    for node in plan.graph.nodes:
        wanted = [line for step in node.builds for line in _requirements(step, files)]
        fresh = [line for line in wanted if _project(line) not in seen]
        seen.update(_project(line) for line in fresh)
        if fresh:
            lines += [f"# for {node.id}", *dict.fromkeys(fresh)]
    return GeneratedFile("requirements.txt", ("\n".join(lines) + "\n").encode())


def requirement_files(plan: Plan) -> tuple[str, ...]:
    """List the files that `pip install -r` names in build steps, in order."""
    named = [
        arguments[position + 1]
        for node in plan.graph.nodes
        for step in node.builds
        for arguments in _installs(step)
        for position, word in enumerate(arguments[:-1])
        if word in ("-r", "--requirement")
    ]
    return tuple(dict.fromkeys(named))


def _requirements(step: BuildStep, files: Mapping[str, bytes]) -> Iterator[str]:
    for arguments in _installs(step):
        words = iter(arguments)
        for word in words:
            if word in ("-r", "--requirement"):
                yield from _lines(files.get(next(words, ""), b""))
            elif word in _WITH_VALUE:
                next(words, "")
            elif word in ("-e", "--editable"):
                yield f"# not in the bundle: {next(words, '')}"
            elif not word.startswith("-"):
                yield f"# not in the bundle: {word}" if _is_path(word) else word


def _installs(step: BuildStep) -> Iterator[list[str]]:
    for command in step.commands:
        try:
            words = shlex.split(command)
        except ValueError:
            continue  # the build step itself reports its unbalanced quotes
        for start in _PIP:
            if words[: len(start)] == start:
                yield words[len(start) :]


def _lines(content: bytes) -> Iterator[str]:
    for line in content.decode("utf-8", "replace").splitlines():
        bare = line.partition(" #")[0].strip()
        if bare and not bare.startswith("#"):
            yield bare


def _is_path(word: str) -> bool:
    return "/" in word or word.startswith(".")


def _project(line: str) -> str:
    """Name the project of a requirement, as pip compares names."""
    bare = line
    for mark in "=<>!~[;@ ":
        bare = bare.partition(mark)[0]
    return line if line.startswith("#") else bare.lower().replace("_", "-").replace(".", "-")
