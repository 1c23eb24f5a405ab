"""What a host needs: pyarrow, pyzmq, eclipse-zenoh where links go over it, and what build steps install with pip.

What lies in the project itself is left out with a comment, since pip could not find it in the bundle.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.pip_commands import file_wishes, wishes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow.codegen.pip_commands import Wish
    from doraflow.ir import BuildStep, Plan

PYARROW = "pyarrow==26.0.1"
"""The version that this release is tested with; one pin, so that every build writes the same."""

PYZMQ = "pyzmq==27.3.0"
"""What the launcher's control socket needs; without it a run cannot be asked anything, and goes on all the same."""

ZENOH = "eclipse-zenoh==1.10.2"
"""What links between hosts need where they go over zenoh."""

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BREAK = re.compile(r"[-_.]+")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz")


def requirements_file(plan: Plan, files: Mapping[str, bytes]) -> GeneratedFile:
    """Render `requirements.txt`; `files` are the sources, among them the requirements files that `-r` names.

    A line stands once. A package without a version is left out where another line names it already; two lines with
    versions are both kept, so that pip judges whether they agree.
    """
    needed = [PYARROW, PYZMQ, *([ZENOH] if any(host.wiring.fabric is not None for host in plan.hosts) else [])]
    lines = ["# What a host needs to run this bundle.", *needed]
    seen = set(needed)
    projects = set(map(_project, needed))
    for step in _steps(plan):
        wanted = [
            line for line in dict.fromkeys(_lines(step, files)) if line not in seen and not _is_in(projects, line)
        ]
        seen.update(wanted)
        projects.update(map(_project, wanted))
        if wanted:
            lines += [f"# for {step.owner}", *wanted]
    return GeneratedFile("requirements.txt", ("\n".join(lines) + "\n").encode())


def requirement_files(plan: Plan) -> tuple[str, ...]:
    """List the files that `pip install -r` names in build steps, by their paths from the dataflow's folder."""
    named = [
        _path(step, wish.text)
        for step in _steps(plan)
        for command in step.commands
        for wish in wishes(command, step.env)
        if wish.kind == "file"
    ]
    return tuple(dict.fromkeys(named))


def _steps(plan: Plan) -> Iterator[BuildStep]:
    """List the build steps in the order in which they are run."""
    yield from plan.graph.builds
    for node in plan.graph.nodes:
        yield from node.builds


def _lines(step: BuildStep, files: Mapping[str, bytes]) -> Iterator[str]:
    for command in step.commands:
        for wish in wishes(command, step.env):
            yield from _granted(wish, step.working_directory, files, ())


def _granted(wish: Wish, folder: str, files: Mapping[str, bytes], inside: tuple[str, ...]) -> Iterator[str]:
    """Write the lines of a wish. A requirements file is read; `inside` are those that lead to it."""
    if wish.kind == "file":
        path = posixpath.normpath(posixpath.join(folder, wish.text))
        if path not in files:
            yield f"# not in the bundle: -r {_flat(wish.text)}"
        elif path not in inside:
            for inner in file_wishes(files[path]):
                yield from _granted(inner, posixpath.dirname(path), files, (*inside, path))
    elif wish.kind == "index":
        option, _, value = wish.text.partition(" ")
        # another main index would be asked for every package here, so that one is only told of
        fits = "://" in value and option not in ("-i", "--index-url")
        yield _flat(wish.text) if fits else f"# not taken over: {_flat(wish.text)}"
    elif wish.kind == "editable" or _is_local(wish.text):
        yield f"# not in the bundle: {_flat(wish.text)}"
    else:
        yield _flat(wish.text)


def _path(step: BuildStep, text: str) -> str:
    return posixpath.normpath(posixpath.join(step.working_directory, text))


def _is_local(requirement: str) -> bool:
    """Tell whether a requirement is a path, also where it stands behind `name @`."""
    place = requirement.partition(" @ ")[2] or requirement
    if "://" in place:
        return "file://" in place
    bare = place.partition(";")[0].strip()
    return bare.startswith(".") or "/" in bare or bare.endswith(_ARCHIVES)


def _flat(text: str) -> str:
    """Keep a text on one line: what follows a line break would be a requirement of its own."""
    return " ".join(text.split())


def _project(line: str) -> str:
    """Name the project of a requirement, as pip compares names."""
    found = _PROJECT.match(line)
    return _BREAK.sub("-", found[0]).lower() if found else line


def _is_in(projects: set[str], line: str) -> bool:
    """Tell whether a line is a bare name that another line gives already."""
    return _PROJECT.fullmatch(line) is not None and _project(line) in projects
