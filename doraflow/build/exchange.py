"""Many files changed at once: all of them, or none.

New files are first written in full to a staging folder inside the output folder, so that a full disk or a fault is met
before anything is touched. Then each is renamed into its place, which a reader sees as old or new and never as half.
When a rename fails, those before it are undone. A process that is killed in between leaves a mixture that its old
manifest does not fit; the launcher refuses that, and the next build mends it.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

from doraflow.build.ownership import STAGING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doraflow.codegen.fileset import GeneratedFile


def exchange(out: Path, wanted: Sequence[GeneratedFile], unwanted: Sequence[str]) -> None:
    """Remove the files `unwanted` from the folder and put `wanted` in place, in this order.

    Folders that become empty go too. Raises OSError, with the folder as it was. Not to be called twice at once.
    """
    staging = out / STAGING
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    try:
        staged = [_stage(staging / f"new-{number}", file) for number, file in enumerate(wanted)]
        with ExitStack() as undo:
            for number, path in enumerate(unwanted):
                _take_away(out, path, staging / f"removed-{number}", undo)
            for number, (file, fresh) in enumerate(zip(wanted, staged, strict=True)):
                _put(out, file.path, fresh, staging / f"old-{number}", undo)
            undo.pop_all()
    finally:
        shutil.rmtree(staging, ignore_errors=True)  # it is removed with the next build, if not now


def _stage(place: Path, file: GeneratedFile) -> Path:
    place.write_bytes(file.content)
    place.chmod(0o755 if file.executable else 0o644)
    return place


def _take_away(out: Path, path: str, kept: Path, undo: ExitStack) -> None:
    place = out / path
    if not os.path.lexists(place) or (place.is_dir() and not place.is_symlink()):
        return
    place.rename(kept)
    undo.callback(kept.rename, place)
    for folder in place.relative_to(out).parents[:-1]:
        if any((out / folder).iterdir()):
            return
        (out / folder).rmdir()
        undo.callback((out / folder).mkdir)


def _put(out: Path, path: str, fresh: Path, kept: Path, undo: ExitStack) -> None:
    place = out / path
    _make_folders(out, place, undo)
    if place.is_dir() and not place.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    if os.path.lexists(place):
        _keep(place, kept)
        fresh.replace(place)
        undo.callback(kept.replace, place)
    else:
        fresh.rename(place)
        undo.callback(place.unlink)


def _make_folders(out: Path, place: Path, undo: ExitStack) -> None:
    for parent in reversed(place.relative_to(out).parents[:-1]):
        folder = out / parent
        if folder.is_symlink():
            raise OSError(errno.ENOTDIR, "a symbolic link stands where a folder must be", str(folder))
        if not folder.exists():
            folder.mkdir()
            undo.callback(folder.rmdir)


def _keep(place: Path, kept: Path) -> None:
    """Keep a second name of a file; a copy where the file system has no second names."""
    try:
        os.link(place, kept, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        shutil.copy2(place, kept, follow_symlinks=False)
