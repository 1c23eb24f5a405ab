"""The keys of a host, in its folder there: looked at by their digests, and changed under a lock, as was agreed on.

Secret keys come in and never go out. Where the folder lies and who may reach it is as `doraflow_runtime.keys.folder`
has it, which is not there before a version is; a test compares the two. What may be replaced is judged by whoever
deploys.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.deploy.remote.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LARGEST_FILE = 4096

_PRIVATE = ".secret"
_PUBLIC = (".public", ".public.old")


def folder_of(ring: str, environment: Mapping[str, str]) -> Path:
    """Say where launchers of a dataflow look for its keys. Raises RemoteError for a name that leads elsewhere."""
    if named := environment.get("DORAFLOW_KEYS"):
        return Path(named).absolute()
    if ring in ("", ".", "..") or "/" in ring:
        raise RemoteError("DF852", f"`{ring}` is no name for a folder of keys", "give the dataflow another `name`")
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/"), ".config"))
    return Path(base, "doraflow", "keys", ring).absolute()


def look(folder: Path, host: str) -> dict[str, str]:
    """Give the digests of the key files that concern a host: its secret key, and all public ones.

    Raises RemoteError for a folder or file that is not what it should be.
    """
    try:
        with _opened(folder) as descriptor:
            return _digests(descriptor, folder, host)
    except FileNotFoundError:
        return {}


def change(folder: Path, host: str, there: Mapping[str, str], put: Mapping[str, str], take_away: Sequence[str]) -> None:
    """Write and remove key files, if those that are there are still the ones that were looked at.

    Raises RemoteError otherwise, and for a name that is not that of a key of this host or a public one.
    """
    for name in (*put, *take_away):
        if "/" in name or not (name == f"{host}{_PRIVATE}" or name.endswith(_PUBLIC)):
            raise RemoteError("DF852", f"`{name}` is no key for `{host}`", "use one version of doraflow")
    _make(folder)
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _digests(descriptor, folder, host) != dict(there):
            raise RemoteError("DF852", f"the keys in `{folder}` were changed by someone else just now", "deploy again")
        # The secret one comes last: peers are then known already to the first process that uses it.
        for name in sorted(put, key=lambda name: name.endswith(_PRIVATE)):
            _write(descriptor, name, put[name].encode("ascii"))
        for name in take_away:
            os.unlink(name, dir_fd=descriptor)
        os.fsync(descriptor)


def _make(folder: Path) -> None:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(folder, (error.strerror or str(error)).lower()) from None
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise _unusable(folder, "it belongs to another user, who could choose the keys")
        if found.st_mode & 0o077:
            raise _unusable(folder, f"others can reach it, its mode is {stat.S_IMODE(found.st_mode):03o}")
        yield descriptor
    finally:
        os.close(descriptor)


def _digests(descriptor: int, folder: Path, host: str) -> dict[str, str]:
    names = sorted(name for name in os.listdir(descriptor) if not name.startswith("."))
    concerned = [name for name in names if name == f"{host}{_PRIVATE}" or name.endswith(_PUBLIC)]
    return {name: hashlib.sha256(_read(descriptor, folder, name)).hexdigest() for name in concerned}


def _read(descriptor: int, folder: Path, name: str) -> bytes:
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
    except OSError as error:
        raise _unusable(folder / name, (error.strerror or str(error)).lower()) from None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _unusable(folder / name, "it is no file")
        return os.read(file, LARGEST_FILE)
    finally:
        os.close(file)


def _write(descriptor: int, name: str, content: bytes) -> None:
    """Write a file that nobody else can read, in the place of an older one at once."""
    temporary = f".{name}.{secrets.token_hex(8)}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=descriptor), "wb") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=descriptor)
        raise


def _unusable(path: Path, reason: str) -> RemoteError:
    return RemoteError(
        "DF852",
        f"`{path}` cannot hold keys: {reason}",
        f"make `{path}` a folder or file of the user who logs in, that nobody else can reach",
    )
