"""The modules beside a script that it imports, found by reading it, not by running it."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from doraflow import disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_FILES = 2000


def imported_files(folder: Path, scripts: Sequence[str]) -> list[str]:
    """List the files below `folder` that `scripts` import, directly or by another, as relative paths in order.

    A script's own folder is where its imports are looked for, as Python does.
    """
    found: dict[str, None] = {}
    waiting = [(script, PurePosixPath(script).parent) for script in scripts]
    while waiting and len(found) < MOST_FILES:
        path, root = waiting.pop(0)
        for name in _imports(folder / path, path, root):
            for file in _files(folder, root, name):
                if file not in found and file not in scripts:
                    found[file] = None
                    waiting.append((file, root))
    return list(found)


def _imports(place: Path, path: str, root: PurePosixPath) -> Iterator[str]:
    """Name the modules of a file's imports, relative ones resolved against its package."""
    try:
        tree = ast.parse(disk.read(place))
    except (SyntaxError, ValueError):
        return  # the node will tell its own fault when it runs
    package = PurePosixPath(path).relative_to(root).parent.parts
    for item in ast.walk(tree):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            base = list(package[: len(package) - item.level + 1]) if item.level else []
            base += (item.module or "").split(".") if item.module else []
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in item.names)


def _files(folder: Path, root: PurePosixPath, name: str) -> Iterator[str]:
    """Find the file of a module, and the `__init__.py` of each package around it."""
    parts = [part for part in name.split(".") if part]
    for depth in range(1, len(parts) + 1):
        inside = root.joinpath(*parts[:depth])
        package = inside / "__init__.py"
        if disk.is_file(folder / package):
            yield package.as_posix()
        elif depth == len(parts) and disk.is_file(folder / inside.with_suffix(".py")):
            yield inside.with_suffix(".py").as_posix()
        elif not disk.is_folder(folder / inside):
            return
