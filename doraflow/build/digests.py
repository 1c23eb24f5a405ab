"""What decides whether a build step runs again: its commands, its sources, and its environment."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.analysis.command_line import split_words
from doraflow.build.commands import is_install
from doraflow.codegen.manifest import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.ir import BuildStep

MOST_FILES = 5000
_PRODUCTS = {"target", "build", "dist", "node_modules", "__pycache__", ".venv", "venv"}


def environment_digest(step: BuildStep) -> dict[str, object]:
    """Describe a step and what it runs in: commands, environment, and which Python environment, by its making."""
    marker = Path(sys.prefix) / "pyvenv.cfg"
    made = marker if marker.exists() else Path(sys.prefix)
    stamp = made.stat()
    return {
        "commands": list(step.commands),
        "folder": step.working_directory,
        "env": dict(step.env),
        "python": f"{sys.executable} {sys.version}",
        "environment": f"{stamp.st_ino} {stamp.st_mtime_ns}",
    }


def sources_digest(step: BuildStep, folder: Path) -> str | None:
    """Digest the names and contents of what a step reads; None if that is too much to read.

    Taken after a step has run, it covers the step's products too, so that one that was deleted is built again.
    """
    files = source_files(step, folder)
    if files is None:
        return None
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.encode() + b"\0" + hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()


def source_files(step: BuildStep, folder: Path) -> list[str] | None:
    """List the files that a step reads, as far as can be told; None if there are too many, so that it always runs.

    A step that only installs packages reads the files and folders that it names; any other step may read everything in
    its working directory, but for hidden files, the usual folders of products, and bundles.
    """
    place = folder / step.working_directory
    found: dict[str, None] = {}
    words = [word.text for command in step.commands for word in split_words(command) or ()]
    roots = [place / word for word in words if word and (place / word).exists()]
    if not all(is_install(command) for command in step.commands):
        roots.append(place)
    for root in roots:
        for file in _files(root):
            found[str(file)] = None
            if len(found) > MOST_FILES:
                return None
    return list(found)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_source_folder(Path(folder) / name))
        yield from (Path(folder) / name for name in sorted(files) if not name.startswith("."))


def _is_source_folder(folder: Path) -> bool:
    """Leave out hidden folders, the usual folders of products, and bundles."""
    name = folder.name
    return not (name.startswith(".") or name in _PRODUCTS or (folder / MANIFEST).exists())
