"""Files of the user's own, written with care: new ones all or none and over nothing, an edited one at once.

Every new file is made whole under another name and then put in its place by a link, which the system refuses where
something stands already; nobody who comes between can lose a file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow.codegen.fileset import FileSet


class InTheWayError(Exception):
    """Files that would have to be overwritten; `paths` are theirs."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(", ".join(map(str, paths)))
        self.paths = paths


def write_fresh(files: FileSet, folder: Path) -> None:
    """Write files below a folder, which is made if it is not there. Raises InTheWayError and OSError."""
    there = [folder / path for path in files.paths() if os.path.lexists(folder / path)]
    if there:
        raise InTheWayError(there)
    made = _missing_folders(folder)
    placed: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".doraflow-", dir=folder))
        try:
            for position, file in enumerate(files.files):
                staged = staging / str(position)
                staged.write_bytes(file.content)
                staged.chmod(0o755 if file.executable else 0o644)
            for position, file in enumerate(files.files):
                target = folder / file.path
                made += _missing_folders(target.parent)
                target.parent.mkdir(parents=True, exist_ok=True)
                _place(staging / str(position), target)
                placed.append(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except (OSError, InTheWayError):
        _take_back(placed, made)
        raise


def replace_text(file: Path, text: str) -> None:
    """Put a text in the place of a file at once, so that no failure leaves half of it. A link stays a link.

    A file that is not there yet is made.

    Raises OSError.
    """
    target = file.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            os.fchmod(descriptor, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            stream.write(text)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _place(staged: Path, target: Path) -> None:
    try:
        os.link(staged, target)
    except FileExistsError:
        raise InTheWayError([target]) from None


def _missing_folders(folder: Path) -> list[Path]:
    """List the folders that have to be made for this one to be there, the outermost first."""
    return [each for each in reversed((folder, *folder.parents)) if not os.path.lexists(each)]


def _take_back(placed: list[Path], made: list[Path]) -> None:
    for path in placed:
        path.unlink(missing_ok=True)
    for folder in reversed(made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
