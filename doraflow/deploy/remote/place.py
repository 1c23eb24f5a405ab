"""The folder of a dataflow on a host: its versions, which of them is current, and the lock that one deploy holds.

<base>/<dataflow>/<host>/
lock                  held while someone changes what lies here
record.json           which versions are whole, and in which order they became current
current               a symbolic link to versions/<version>
venv                  a symbolic link to current/venv, if the current version has an environment
versions/<version>/   a bundle with what this host needs of it; its own `venv` leads to its environment, if it has one
environments/<key>/   virtual environments, by what is installed in them
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.deploy.remote.errors import RemoteError
from doraflow.targeting.names import folder_name

if TYPE_CHECKING:
    from collections.abc import Collection

UNFINISHED = ".new-"
RECORD = "record.json"


@dataclass(frozen=True, slots=True)
class Whole:
    """A version that was copied and prepared to its end: when, in UTC, and the Python that is to run it."""

    deployed: str
    python: str


@dataclass(frozen=True, slots=True)
class Record:
    """The whole versions by name, and in `order` those that were current, the present one last."""

    whole: dict[str, Whole] = field(default_factory=dict)
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a dataflow on this host."""

    root: Path

    @property
    def versions(self) -> Path:
        """Where the versions lie."""
        return self.root / "versions"

    @property
    def environments(self) -> Path:
        """Where the virtual environments lie."""
        return self.root / "environments"

    def version(self, name: str) -> Path:
        """Give the folder of a version."""
        return self.versions / name

    def environment_of(self, python: str) -> str:
        """Name the environment here that a Python is of; empty for one that lies elsewhere."""
        folder = Path(python).parent.parent
        return folder.name if folder.parent == self.environments else ""

    def current(self) -> str:
        """Name the current version; empty if there is none. Raises RemoteError for a folder in its place."""
        link = self.root / "current"
        try:
            return link.readlink().name
        except FileNotFoundError:
            return ""
        except OSError:
            if link.is_symlink():
                raise
            raise in_the_way(link, "the link to the current version goes there") from None


def in_the_way(path: Path, why: str) -> RemoteError:
    """Tell of what was made by hand where a deploy is to put a link."""
    return RemoteError(
        "DF875",
        f"`{path}` is a folder that no deploy made, and {why}",
        f"move it away there, such as `{shlex.join(('mv', str(path), f'{path}.by-hand'))}`, and try again",
    )


def place_of(base: str, dataflow: str, host: str) -> Place:
    """Find the folder of a dataflow; a relative base leads from the home folder, and names become safe for paths."""
    return Place(Path.home() / Path(base).expanduser() / folder_name(dataflow) / folder_name(host))


def make(place: Place) -> None:
    """Make the folder, for this user alone. Raises RemoteError if it belongs to someone else."""
    place.versions.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (place.root, place.versions):
        found = folder.stat()
        if found.st_uid != os.getuid():
            raise RemoteError(
                "DF875",
                f"`{folder}` belongs to the user with the number {found.st_uid}",
                "give the host another `folder`, or log in as that user",
            )
        if found.st_mode & 0o077:
            folder.chmod(0o700)


def lock(place: Place) -> int:
    """Take the lock of the folder; it is let go when the descriptor is closed. Raises RemoteError if it is held."""
    descriptor = os.open(place.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        since = os.pread(descriptor, 64, 0).decode(errors="replace").strip() or "a moment ago"
        os.close(descriptor)
        raise RemoteError(
            "DF875",
            f"`{place.root}` is in use: another deploy has been going on since {since}",
            "wait for its end, then deploy again",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, moment().encode(), 0)
    return descriptor


def read_record(place: Place) -> Record:
    """Read the record; an empty one if nothing was deployed yet. Raises RemoteError if it cannot be understood."""
    path = place.root / RECORD
    try:
        table = json.loads(path.read_bytes())
        whole = {str(name): Whole(str(row["deployed"]), str(row["python"])) for name, row in table["whole"].items()}
        return Record(whole, tuple(str(name) for name in table["order"]))
    except FileNotFoundError:
        return Record()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RemoteError(
            "DF875", f"`{path}` is no record of deployed versions", f"remove `{place.root}`, and deploy again"
        ) from None


def write_record(place: Place, record: Record) -> None:
    """Replace the record, whole or not at all."""
    text = json.dumps({"schema": 1, "whole": {n: asdict(w) for n, w in record.whole.items()}, "order": record.order})
    fresh = place.root / f".{RECORD}"
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(place.root / RECORD)
    sync_folder(place.root)


def remove_unfinished(place: Place, record: Record, running: Collection[str] = ()) -> None:
    """Remove what a deploy left that was cut short: half copies, and versions that were never prepared to the end.

    Versions in `running` stay, and so do the environments that they and `venv` lead to.
    """
    used = {place.environment_of(whole.python) for whole in record.whole.values()}
    used |= {(folder / "venv").resolve().name for folder in (place.root, *map(place.version, running))}
    for folder, known in ((place.versions, {*record.whole, *running}), (place.environments, used)):
        for found in sorted(folder.iterdir()) if folder.is_dir() else ():
            if found.name not in known and found.name != place.current():
                remove(found)


def remove(folder: Path) -> None:
    """Remove a folder; one that resists is told of by what stands in its way."""
    shutil.rmtree(folder)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, so that a loss of power leaves the old or the new."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def moment() -> str:
    """Tell the time in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
