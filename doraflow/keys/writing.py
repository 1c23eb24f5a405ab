"""Files of keys written: each whole and private or not at all, and one writer of a folder at a time.

What stands in the files is decided by the callers.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from typing import TYPE_CHECKING

from doraflow_runtime.keys.folder import KeyRingError, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow_runtime.keys.files import HostKey

_MANIFEST = "MANIFEST.json"


def make_private(folder: Path) -> None:
    """Make a folder for keys if it is not there, for this user alone.

    Raises KeyRingError, also for a folder inside a bundle: what lies there is copied and committed.
    """
    if bundle := next((each for each in (folder, *folder.parents) if (each / _MANIFEST).exists()), None):
        raise KeyRingError(
            f"`{folder}` lies in the bundle `{bundle}`, and keys would be copied with it", "name a folder outside of it"
        )
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Open a folder of keys, and keep every other writer out for the block; gives its descriptor.

    Raises KeyRingError if others can reach into the folder, or if something cannot be written in the block.
    """
    with opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            _sweep(descriptor)
            yield descriptor
        except OSError as error:
            raise _unwritable(folder, error) from error


def put(descriptor: int, name: str, key: HostKey) -> None:
    """Write a key file in an opened folder, in the place of an older one at once. Raises OSError."""
    temporary = f".{name}.{secrets.token_hex(8)}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=descriptor), "wb") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(key.text().encode())
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=descriptor)
        raise
    os.fsync(descriptor)


def take_away(descriptor: int, name: str) -> None:
    """Remove a file of an opened folder. Raises OSError."""
    os.unlink(name, dir_fd=descriptor)
    os.fsync(descriptor)


def _sweep(descriptor: int) -> None:
    """Remove what a writer that was killed has left: under the lock nobody else is writing."""
    for name in os.listdir(descriptor):
        if name.startswith(".") and name.endswith(".new"):
            os.unlink(name, dir_fd=descriptor)


def _unwritable(folder: Path, error: OSError) -> KeyRingError:
    reason = (error.strerror or str(error)).lower()
    mend = f"get the right to write to `{folder}`"
    if error.errno not in (errno.EACCES, errno.EPERM):
        mend = "name another folder"
    return KeyRingError(f"no keys can be written to `{folder}`: {reason}", mend)
