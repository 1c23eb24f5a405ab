"""The targets that there are, found by sorted listing and by entry points, and their files in a bundle.

A target that cannot be used is a finding; which files it makes is its own affair.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from doraflow.codegen.fileset import FileSet, GeneratedFile
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Plan

GROUP = "doraflow.targets"
FOLDER = "targets"


@runtime_checkable
class Engine(Protocol):
    """What a target has to have."""

    def files(self, plan: Plan) -> tuple[GeneratedFile, ...]:
        """Make the target's files, by their paths below its own folder. Pure."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target that was found; `is_own` tells that it came with doraflow."""

    name: str
    engine: Engine
    is_own: bool


def target_names() -> tuple[str, ...]:
    """List the names of all targets, sorted."""
    return tuple(sorted({*_own_names(), *_foreign()}))


def find_targets(names: Sequence[str], sink: Sink) -> tuple[Target, ...]:
    """Find targets by their names, each once; one that is unknown (DF861) or unusable (DF862) is left out."""
    found = (_find(name, sink) for name in dict.fromkeys(names))
    return tuple(target for target in found if target is not None)


def target_files(targets: Sequence[Target], plan: Plan, sink: Sink) -> tuple[GeneratedFile, ...]:
    """Make the files of all targets, each below `targets/NAME/`; the findings of their checks go into the sink."""
    return tuple(file for target in targets for file in _made(target, plan, sink))


def _find(name: str, sink: Sink) -> Target | None:
    is_own, foreign = name in _own_names(), _foreign().get(name, ())
    if not is_own and not foreign:
        known = target_names()
        near = nearest(name, known)
        sink.error(
            "DF861",
            f"there is no target `{name}`; the targets are {choices_text(name, known)}",
            help=f"write `--target {near[0]}`" if near else "name one of them with `--target`",
        )
        return None
    if len(foreign) + is_own > 1:
        owners = ", ".join([*(["doraflow"] if is_own else []), *(_owner(entry) for entry in foreign)])
        _tell_unusable(name, f"more than one package brings it: {owners}", "remove all but one of these packages", sink)
        return None
    if is_own:
        return Target(name, cast("Engine", importlib.import_module(f"doraflow.targets.{name}")), is_own)
    try:
        engine = foreign[0].load()
    except Exception as error:  # noqa: BLE001 - a plugin may fail in any way, and it is told which
        _tell_unusable(name, _fault(error), f"mend or remove the package `{_owner(foreign[0])}`", sink)
        return None
    if not callable(getattr(engine, "files", None)):
        _tell_unusable(name, "it has no function `files`", f"mend or remove the package `{_owner(foreign[0])}`", sink)
        return None
    return Target(name, cast("Engine", engine), is_own)


def _made(target: Target, plan: Plan, sink: Sink) -> list[GeneratedFile]:
    try:
        check = getattr(target.engine, "check", None)
        if check is not None:
            check(plan, sink)
        if sink.has_errors:
            return []
        files = FileSet.of(list(target.engine.files(plan))).files
    except Exception as error:
        if target.is_own:
            raise
        _tell_unusable(target.name, _fault(error), "mend or remove the package that brings it", sink)
        return []
    outside = [file.path for file in files if not _is_inside(file.path)]
    if outside:
        _tell_unusable(target.name, f"it writes outside its folder: `{outside[0]}`", "mend or remove its package", sink)
        return []
    return [replace(file, path=f"{FOLDER}/{target.name}/{file.path}") for file in files]


def _own_names() -> tuple[str, ...]:
    import doraflow.targets

    return tuple(sorted(module.name for module in pkgutil.iter_modules(doraflow.targets.__path__)))


def _foreign() -> Mapping[str, tuple[metadata.EntryPoint, ...]]:
    """Group the entry points of other packages by their names; one that is listed twice counts once."""
    grouped: dict[str, dict[tuple[str, str], metadata.EntryPoint]] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        grouped.setdefault(entry.name, {})[entry.value, _owner(entry)] = entry
    return {name: tuple(entries.values()) for name, entries in grouped.items()}


def _owner(entry: metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and pure.as_posix() == path


def _fault(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _tell_unusable(name: str, reason: str, mend: str, sink: Sink) -> None:
    sink.error("DF862", f"the target `{name}` cannot be used: {reason}", help=mend)
