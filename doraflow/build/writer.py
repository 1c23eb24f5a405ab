"""Bundles on disk: written so that a failure never leaves half a bundle, and compared without writing.

Files are first written beside their places and then renamed, the manifest last; a file is only touched when its bytes
or its mode differ. Only what a manifest of ours lists is ever deleted.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.codegen.manifest import MANIFEST

if TYPE_CHECKING:
    from doraflow.codegen.fileset import FileSet, GeneratedFile
    from doraflow.diagnostics import Sink


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a write did, as relative paths."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def write(files: FileSet, out: Path, sink: Sink) -> WriteReport | None:
    """Bring the folder `out` to hold the bundle; None after a finding (DF701, DF703), with the old bundle intact."""
    try:
        owned = owned_files(out)
        if owned is None:
            _tell_foreign(out, sink)
            return None
        changed = [file for file in files.files if not _is_current(out / file.path, file)]
        _replace(out, changed)
        removed = tuple(sorted(owned - set(files.paths())))
        for path in removed:
            _remove(out, path)
    except OSError as error:
        _tell_unwritable(out, error, sink)
        return None
    names = {file.path for file in changed}
    return WriteReport(
        written=tuple(sorted(names)),
        unchanged=tuple(path for path in files.paths() if path not in names),
        removed=removed,
    )


def owned_files(out: Path) -> set[str] | None:
    """List the files that the folder's manifest owns; None if the folder holds something and is no bundle.

    Raises OSError if the folder cannot be read.
    """
    if not out.exists():
        return set()
    if not out.is_dir():
        return None
    try:
        table = json.loads((out / MANIFEST).read_bytes())
        listed = [path for path in table["files"] if _is_inside(path)]
    except FileNotFoundError:
        return None if any(out.iterdir()) else set()
    except (ValueError, KeyError, TypeError):
        return None
    return {MANIFEST, *listed}


def _is_inside(path: str) -> bool:
    """Refuse a path that a damaged manifest would have us delete outside of the bundle."""
    parts = Path(path).parts
    return bool(parts) and not Path(path).is_absolute() and ".." not in parts


def _is_current(path: Path, file: GeneratedFile) -> bool:
    try:
        if path.is_symlink() or bool(path.stat().st_mode & 0o100) != file.executable:
            return False
        return path.read_bytes() == file.content
    except (FileNotFoundError, NotADirectoryError):
        return False


def _replace(out: Path, changed: list[GeneratedFile]) -> None:
    """Write every file beside its place, then rename them all, the manifest last."""
    staged: list[tuple[Path, Path]] = []
    try:
        for file in sorted(changed, key=lambda file: file.path == MANIFEST):
            staged.append((_stage(out, file), out / file.path))  # noqa: PERF401 - what is staged must be known on failure
        for temporary, place in staged:
            temporary.replace(place)
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _stage(out: Path, file: GeneratedFile) -> Path:
    place = out / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o755 if file.executable else 0o644)
            stream.write(file.content)
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def _remove(out: Path, path: str) -> None:
    place = out / path
    place.unlink(missing_ok=True)
    for folder in place.relative_to(out).parents:
        if folder == Path() or any((out / folder).iterdir()):
            return
        (out / folder).rmdir()


def _tell_foreign(out: Path, sink: Sink) -> None:
    sink.error(
        "DF703",
        f"`{out}` holds something that is no bundle, and it would be mixed with one",
        help="name an empty or new folder with `-o`, or remove what is there",
    )


def _tell_unwritable(out: Path, error: OSError, sink: Sink) -> None:
    at = f" at `{error.filename}`" if error.filename and str(error.filename) != str(out) else ""
    sink.error(
        "DF701",
        f"the bundle cannot be written to `{out}`: {(error.strerror or str(error)).lower()}{at}",
        help="name a folder that you may write to with `-o`, on a disk with room",
    )
