"""A version as it comes in: what of it lies here already, the rest as it arrives, and the check of every byte.

A version is made beside its place and renamed into it once all its files are on the disk and have been read back. What
earlier versions hold is copied from them and not linked: a file that someone edits in one version stays as it was in
the others.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import UNFINISHED, remove, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doraflow.deploy.remote.place import Place, Record

MANIFEST = "MANIFEST.json"

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file that a version is to hold, at a relative path with forward slashes."""

    path: str
    digest: str
    size: int
    executable: bool


@dataclass(slots=True)
class Copy:
    """A version that is being copied: where, its files, where each content lies here, and what must be sent."""

    folder: Path
    name: str
    files: tuple[WantedFile, ...]
    here: dict[str, Path] = field(default_factory=dict)

    def missing(self) -> dict[str, int]:
        """Give the digests of what does not lie here, with their sizes, in the order of the files."""
        return {file.digest: file.size for file in self.files if file.digest not in self.here}


def wanted_files(rows: Sequence[dict[str, object]]) -> tuple[WantedFile, ...]:
    """Read the table of a version's files. Raises RemoteError for a path that leads out of the version."""
    files = []
    for row in rows:
        path = PurePosixPath(str(row["path"]))
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise RemoteError("DF876", f"`{path}` leads out of the version", "build the bundle again")
        files.append(WantedFile(str(path), str(row["sha256"]), int(str(row["size"])), row["executable"] is True))
    return tuple(files)


def intact(place: Place, record: Record, version: str, files: Sequence[WantedFile]) -> str:
    """Name the folder of a version that is whole and as it would be copied now; empty if there is none.

    Its manifest is left aside: build steps add what they made, and all else it says follows from the version.
    """
    sources = [file for file in files if file.path != MANIFEST]
    names = [name for name in record.whole if name.partition("-")[0] == version]
    return next((name for name in names if not differing(place.version(name), sources)), "")


def free_name(place: Place, version: str) -> str:
    """Name a new folder for a version: another one than before where that was changed by hand, which is left alone."""
    numbers = itertools.count(2)
    name = version
    while os.path.lexists(place.version(name)):
        name = f"{version}-{next(numbers)}"
    return name


def differing(folder: Path, files: Sequence[WantedFile]) -> list[str]:
    """List the files that are missing or not as they were copied."""
    return [file.path for file in files if _digest(folder / file.path) != file.digest]


def look(place: Place, name: str, files: tuple[WantedFile, ...], beat: Callable[[], None]) -> Copy:
    """Find what the versions that lie here hold of a new one; every candidate is read, whatever its manifest says."""
    copy = Copy(place.versions / f"{UNFINISHED}{name}", name, files)
    wanted = {file.digest for file in files}
    for folder in sorted(place.versions.iterdir()) if place.versions.is_dir() else ():
        for path, digest in _manifest(folder).items():
            if digest in wanted and digest not in copy.here and _digest(folder / path) == digest:
                copy.here[digest] = folder / path
        beat()
    return copy


def begin(copy: Copy) -> None:
    """Make the folder of the new version."""
    if os.path.lexists(copy.folder):
        remove(copy.folder)
    copy.folder.mkdir(mode=0o700)


def take(copy: Copy, digest: str, size: int, read: Callable[[int], bytes]) -> None:
    """Write a content that comes in; the places with the same content get theirs in `finish`.

    `read` gives up to a number of bytes. Raises RemoteError for a content that is not wanted.
    """
    file = next((file for file in copy.files if file.digest == digest and file.size == size), None)
    if file is None:
        raise RemoteError("DF876", f"a content that nobody asked for was sent: {digest}", "deploy again")
    path = copy.folder / file.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as out:
        left = size
        while left:
            data = read(min(left, _CHUNK))
            out.write(data)
            left -= len(data)
        out.flush()
        os.fsync(out.fileno())
    path.chmod(_mode(file))
    copy.here[digest] = path


def finish(copy: Copy, place: Place, beat: Callable[[], None]) -> None:
    """Complete the version from what lies here, read all of it back, and give it its name.

    Raises RemoteError if a file is not as it was sent; the half copy is then removed.
    """
    for file in copy.files:
        _complete(copy, file)
        beat()
    wrong = differing(copy.folder, copy.files)
    if wrong:
        remove(copy.folder)
        raise RemoteError(
            "DF876",
            f"{len(wrong)} of {len(copy.files)} files are not as they were sent, `{wrong[0]}` first",
            "deploy again; if it comes back, check the host's disk and memory",
        )
    for folder in (path for path in copy.folder.rglob("*") if path.is_dir()):
        sync_folder(folder)
    sync_folder(copy.folder)
    copy.folder.rename(place.version(copy.name))
    sync_folder(place.versions)


def _complete(copy: Copy, file: WantedFile) -> None:
    path = copy.folder / file.path
    source = copy.here.get(file.digest)
    if source is None or source == path:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    path.chmod(_mode(file))
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _mode(file: WantedFile) -> int:
    return 0o700 if file.executable else 0o600


def _manifest(folder: Path) -> dict[str, str]:
    """Read which contents a version should hold; nothing from one that has no manifest."""
    try:
        content = (folder / MANIFEST).read_bytes()
        rows = json.loads(content)["files"]
        listed = {str(path): str(row["sha256"]) for path, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {**listed, MANIFEST: hashlib.sha256(content).hexdigest()}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while data := stream.read(_CHUNK):
                digest.update(data)
    except OSError:
        return ""
    return digest.hexdigest()
