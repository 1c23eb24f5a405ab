"""Bundles on disk: a folder brought to hold just what was generated, and nothing of anyone else touched.

A file is only touched when its bytes or its mode differ, the manifest last. Only what a manifest of ours lists is ever
replaced or removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.build.exchange import exchange
from doraflow.build.ownership import STAGING, owned_files
from doraflow.codegen.manifest import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow.codegen.fileset import FileSet, GeneratedFile
    from doraflow.diagnostics import Sink

ANOTHER_FOLDER = "name another folder with `-o`"


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a write did, as relative paths."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def write(files: FileSet, out: Path, sink: Sink, *, elsewhere: str = ANOTHER_FOLDER) -> WriteReport | None:
    """Bring the folder `out` to hold the bundle; None after a finding (DF701, DF703), with the folder as it was.

    `elsewhere` tells how to choose another folder. Two writers of one folder wait for each other.
    """
    try:
        if out.exists() and not out.is_dir():
            _tell_foreign(f"`{out}` is no folder", elsewhere, sink)
            return None
        out.mkdir(parents=True, exist_ok=True)
        with _locked(out):
            return _write(files, out, sink, elsewhere)
    except OSError as error:
        _tell_unwritable(out, error, elsewhere, sink)
        return None


def _write(files: FileSet, out: Path, sink: Sink, elsewhere: str) -> WriteReport | None:
    owned = owned_files(out)
    if owned is None:
        _tell_foreign(f"`{out}` holds something that is no bundle, and it would be mixed with one", elsewhere, sink)
        return None
    changed = [file for file in files.files if not _is_current(out / file.path, file)]
    for file in changed:
        if file.path not in owned and (out / file.path).is_file():
            place = out / file.path
            _tell_foreign(f"no bundle owns `{place}`, and the new one would overwrite it", elsewhere, sink)
            return None
    unwanted = tuple(sorted(path for path in owned - set(files.paths()) if os.path.lexists(out / path)))
    if changed or unwanted:
        exchange(out, sorted(changed, key=lambda file: file.path == MANIFEST), unwanted)
    names = {file.path for file in changed}
    return WriteReport(
        written=tuple(path for path in files.paths() if path in names),
        unchanged=tuple(path for path in files.paths() if path not in names),
        removed=unwanted,
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_current(path: Path, file: GeneratedFile) -> bool:
    try:
        if path.is_symlink() or bool(path.stat().st_mode & 0o100) != file.executable:
            return False
        return path.is_file() and path.read_bytes() == file.content
    except (FileNotFoundError, NotADirectoryError):
        return False


def _tell_foreign(message: str, elsewhere: str, sink: Sink) -> None:
    sink.error("DF703", message, help=f"{elsewhere}, or remove what is there")


def _tell_unwritable(out: Path, error: OSError, elsewhere: str, sink: Sink) -> None:
    place = str(error.filename or out)
    at = "" if place == str(out) or STAGING in place else f" at `{place}`"
    mend = {
        errno.ENOSPC: "make room on the disk",
        errno.EDQUOT: "make room within your quota",
        errno.EISDIR: "remove what stands there",
        errno.ENOTDIR: "remove what stands there",
        errno.EEXIST: "remove what stands there",
    }.get(error.errno or 0, "get the right to write there")
    sink.error(
        "DF701",
        f"the bundle cannot be written to `{out}`: {(error.strerror or str(error)).lower()}{at}",
        help=f"{elsewhere}, or {mend}",
    )
