"""Node sources: whether they are there, and what of them goes into a bundle.

A Python script brings the modules beside it that it imports. What lies outside the dataflow's folder stays there.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from doraflow import disk
from doraflow.analysis.between_hosts import fabric
from doraflow.analysis.lower import source_path
from doraflow.analysis.path_variables import begins_with_variable, has_variable
from doraflow.build.imports import imported_files
from doraflow.build.meant_paths import meant_path
from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.requirements import requirement_files
from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph, Node, Plan

LARGEST_SOURCE = 64 * 1024 * 1024

_CREATE = "create it, or correct the path"


def check_paths(graph: Graph, sink: Sink, missing: Collection[Span] = ()) -> None:
    """Report sources and working directories outside the project (DF602), whether they exist or not.

    `missing` are the places of the sources that have been told of as missing.
    """
    for node in graph.nodes:
        is_outside = _leaves_project(node.working_directory)
        if is_outside and (node.builds or any(not _stands_alone(path) for path in _written(node))):
            _tell_folder_outside(node, sink)
        for path, span in _named(node):
            is_told = span in missing or (is_outside and _is_below(path, node.working_directory))
            if _leaves_project(path) and not is_told:
                _tell_outside(node, path, span, sink)


def check_sources(graph: Graph, folder: Path, sink: Sink) -> frozenset[Span]:
    """Report sources that are missing (DF601), also zenoh's (DF521), and links to files outside the project (DF602).

    Gives the places of those that are missing.
    """
    _check_fabric(graph, folder, sink)
    missing: set[Span] = set()
    root = str(disk.resolved(folder))
    targets: dict[str, str] = {}
    for node in graph.nodes:
        for path, span in _named(node):
            if not _is_there(node, folder, path):
                if not _may_appear(node):
                    as_written = path if span.file == graph.file and path in _written(node) else None
                    _tell_missing(node, folder, path, span, sink, as_written=as_written)
                    missing.add(span)
            elif not _leaves_project(path):
                target = targets.get(path) or targets.setdefault(path, str(disk.resolved(folder / path)))
                if not _is_below(target, root) and disk.is_file(folder / path):
                    _tell_link(node, path, target, span, sink)
    return frozenset(missing)


def _check_fabric(graph: Graph, folder: Path, sink: Sink) -> None:
    """Report a configuration of zenoh that cannot go into the bundle; an absolute path is that of a host."""
    zenoh = fabric(graph)
    if zenoh is None or not zenoh.config or _is_absolute(zenoh.config):
        return
    is_outside = _leaves_project(zenoh.config)
    if is_outside or not disk.is_file(folder / zenoh.config):
        what = "leads out of the dataflow's folder" if is_outside else "is not there"
        sink.error(
            "DF521",
            f"`{zenoh.config}`, the configuration of zenoh, {what}, so no host would have it",
            graph.setting_spans.get("communication"),
            help="put the file into the dataflow's folder, or write the absolute path that it has on every host",
        )


def collect_sources(plan: Plan, folder: Path) -> list[GeneratedFile]:
    """Read what goes into the bundle's `nodes/`: the named files, the modules they import, and requirement files.

    Raises OSError if a file cannot be read.
    """
    named = [path for path in (*plan.sources, *requirement_files(plan)) if not _leaves_project(path)]
    present = [path for path in named if disk.is_file(folder / path)]
    scripts = [path for path in present if path.endswith(".py")]
    paths = dict.fromkeys([*map(_normal, present), *imported_files(folder, scripts)])
    return [_read(folder, path) for path in paths if disk.size(folder / path) <= LARGEST_SOURCE]


def _named(node: Node) -> Iterator[tuple[str, Span]]:
    if node.path and node.kind in ("python", "executable"):
        yield source_path(node, node.path), node.path_span or node.span
    for operator in node.operators:
        yield source_path(node, operator.path), operator.path_span


def _written(node: Node) -> Iterator[str]:
    if node.path and node.kind in ("python", "executable"):
        yield node.path
    for operator in node.operators:
        yield operator.path


def _leaves_project(path: str) -> bool:
    return _stands_alone(path) or os.path.normpath(path).split("/")[0] == ".."


def _stands_alone(path: str) -> bool:
    """Tell whether a path leads to the same place from any folder."""
    return _is_absolute(path) or begins_with_variable(path)


def _is_absolute(path: str) -> bool:
    return path.startswith("/")


def _is_below(path: str, folder: str) -> bool:
    return f"{os.path.normpath(path)}/".startswith(f"{os.path.normpath(folder).rstrip('/')}/")


def _may_appear(node: Node) -> bool:
    """Tell whether a build step or a repository may bring the source, or a variable of the host may lead to it."""
    return bool(node.builds) or node.git is not None or has_variable(node)


def _is_there(node: Node, folder: Path, path: str) -> bool:
    if disk.is_file(folder / path):
        return True
    return node.kind == "executable" and "/" not in path and disk.has_command(path)


def _tell_missing(node: Node, folder: Path, path: str, span: Span, sink: Sink, *, as_written: str | None) -> None:
    """Report a missing source; `as_written` is the text at `span` if that is the path from the dataflow's folder."""
    name = PurePosixPath(path).name
    near = nearest(name, disk.files_in((folder / path).parent))
    what = "file" if "/" in path or "." in path else "file and no command"
    closest = str(PurePosixPath(as_written).with_name(near[0])) if near and as_written else None
    is_outside = _leaves_project(path)
    mend = f"put `{name}` into the dataflow's folder and write its path from there" if is_outside else _CREATE
    if near:
        mend = f"to use the closest file, write `{closest or near[0]}`"
        mend = mend if closest else f"{mend} in the place of `{name}`"
    meant = meant_path(as_written or path)
    sink.error(
        "DF601",
        f"there is no {what} `{path}`, so `{node.id}` cannot run",
        span,
        help=meant or mend,
        replacement=None if meant else closest,
    )


def _tell_outside(node: Node, path: str, span: Span, sink: Sink) -> None:
    kind = "an absolute path" if _is_absolute(path) else "a path out of the dataflow's folder"
    kind = "a path that begins with a variable of the host" if begins_with_variable(path) else kind
    sink.warning(
        "DF602",
        f"`{path}` of `{node.id}` is {kind}: it is not put into the bundle, and every host needs it in that place",
        span,
        help="move the file into the dataflow's folder and name it relative to that",
    )


def _tell_folder_outside(node: Node, sink: Sink) -> None:
    folder = node.working_directory
    kind = "an absolute path" if _is_absolute(folder) else "a path out of the dataflow's folder"
    builds = ", and its build commands run there" if node.builds else ""
    sink.warning(
        "DF602",
        f"the working directory `{folder}` of `{node.id}` is {kind}: what lies there is not put into the bundle, and "
        f"every host needs it in that place{builds}",
        node.working_directory_span or node.span,
        help="write a folder of the project, relative to the dataflow's folder",
    )


def _tell_link(node: Node, path: str, target: str, span: Span, sink: Sink) -> None:
    sink.warning(
        "DF602",
        f"`{path}` of `{node.id}` is a link to `{target}`, outside the project: the bundle gets a copy of what is "
        "there, and from another copy of the project it may come out different",
        span,
        help="put the file itself into the dataflow's folder",
    )


def _normal(path: str) -> str:
    return PurePosixPath(os.path.normpath(path)).as_posix()


def _read(folder: Path, path: str) -> GeneratedFile:
    place = folder / path
    return GeneratedFile(path, disk.read(place), executable=disk.is_executable(place))
