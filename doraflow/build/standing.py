"""Whether a bundle still stands as it was built: its files, by their stamps or their bytes.

A file whose stamp differs, or is too new to be trusted, is read again. Nothing here writes.
"""

from __future__ import annotations

import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from doraflow.codegen.fileset import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from doraflow.codegen.fileset import GeneratedFile

Stamp: TypeAlias = tuple[int, int, int, int]

YOUNGEST_NS = 2 * 10**9
"""How old a change must be for its time to tell it from a later one; some file systems count in two seconds."""


@dataclass(frozen=True, slots=True)
class StandingFile:
    """A file of a bundle as it was written; without a stamp it has to be read to know it again."""

    path: str
    digest: str
    executable: bool
    stamp: Stamp | None


def standing_files(files: Iterable[GeneratedFile], out: Path) -> list[StandingFile] | None:
    """Record how the files of a bundle stand in the folder `out`; None if one of them does not."""
    wanted = [StandingFile(file.path, digest_of(file.content), file.executable, None) for file in files]
    return still_standing(wanted, out)


def still_standing(files: Sequence[StandingFile], out: Path) -> list[StandingFile] | None:
    """Give the files with the stamps that they have now; None if one of them is not as it was."""
    now = time.time_ns()
    found = []
    for file in files:
        stands = _standing(file, out / file.path, now)
        if stands is None:
            return None
        found.append(stands)
    return found


def _standing(file: StandingFile, place: Path, now: int) -> StandingFile | None:
    try:
        status = place.lstat()
        if not stat.S_ISREG(status.st_mode) or bool(status.st_mode & 0o100) != file.executable:
            return None
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if stamp == file.stamp:
            return file
        if digest_of(place.read_bytes()) != file.digest:
            return None
    except OSError:
        return None
    is_old = max(status.st_mtime_ns, status.st_ctime_ns) < now - YOUNGEST_NS
    return StandingFile(file.path, file.digest, file.executable, stamp if is_old else None)
