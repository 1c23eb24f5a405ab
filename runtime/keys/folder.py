"""The folder of a ring of keys, read so that nobody but its owner can have put something into it or read it.

The folder is opened once, and every file through it: what is judged is what is read, even when someone renames folders
meanwhile. Nothing is written here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.keys.files import LARGEST_FILE, PRIVATE, PUBLIC, KeyFormatError, parse_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doraflow_runtime.keys.files import HostKey

FOLDER_VARIABLE = "DORAFLOW_KEYS"


class KeyRingError(Exception):
    """Keys that cannot be used: one sentence, and the mend. Neither ever holds a key."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


def ring_folder(name: str, environment: Mapping[str, str], given: Path | None = None) -> Path:
    """Say where the ring of a dataflow lies: `given`, else `DORAFLOW_KEYS`, else a folder below `XDG_CONFIG_HOME`.

    >>> ring_folder("vision", {"HOME": "/home/ann"}).as_posix()
    '/home/ann/.config/doraflow/keys/vision'
    """
    if given is not None:
        return given.absolute()
    if named := environment.get(FOLDER_VARIABLE):
        return Path(named).absolute()
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/"), ".config"))
    return Path(base, "doraflow", "keys", name).absolute()


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Open a folder of keys; the descriptor holds for the block.

    Raises KeyRingError if there is none, or if another user could reach into it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise KeyRingError(f"there are no keys in `{folder}`: it does not exist", _copy_mend()) from None
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        _judge(str(folder), os.fstat(descriptor), 0o077, "700")
        yield descriptor
    finally:
        os.close(descriptor)


def names_in(descriptor: int) -> list[str]:
    """List the files of an opened folder, sorted; those that begin with `.` are being written, and left out."""
    return sorted(name for name in os.listdir(descriptor) if not name.startswith("."))


def read_key(descriptor: int, folder: Path, name: str) -> HostKey:
    """Read one file of an opened folder; `folder` is for messages.

    Raises KeyRingError, and FileNotFoundError if there is no such file.
    """
    path = folder / name
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, error) from error
    with open(file, "rb", closefd=True) as stream:  # noqa: PTH123 - the descriptor, not the path, is what was judged
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise KeyRingError(f"`{path}` cannot be used as a key: it is no file", f"remove `{path}`")
        # A public key is no secret, but whoever can change it chooses who is let in.
        _judge(str(path), found, 0o077 if name.endswith(".secret") else 0o022, "600")
        content = stream.read(LARGEST_FILE + 1)
    try:
        if len(content) > LARGEST_FILE:
            raise KeyFormatError("it is too large")  # noqa: TRY301 - one place says what becomes of a damaged file
        return parse_key(content)
    except KeyFormatError as error:
        raise KeyRingError(f"`{path}` is not a key file: {error}", _damage_mend(path)) from None


def _judge(path: str, found: os.stat_result, forbidden: int, mode: str) -> None:
    if found.st_uid != os.geteuid():
        raise KeyRingError(
            f"`{path}` belongs to another user, who could choose the keys",
            f"copy the keys to a folder of your own, or run `chown {os.geteuid()} {path}` as its owner",
        )
    if found.st_mode & forbidden:
        what = "read" if forbidden & 0o044 else "changed"
        raise KeyRingError(
            f"`{path}` can be {what} by others: its mode is {stat.S_IMODE(found.st_mode):03o}",
            f"run `chmod {mode} {path}`, and rotate the keys if others may have read them",
        )


def _unusable(path: Path, error: OSError) -> KeyRingError:
    if error.errno == errno.ELOOP or (error.errno == errno.ENOTDIR and path.is_symlink()):
        return KeyRingError(
            f"`{path}` is a symbolic link, and what it leads to may change", "put what it leads to in its place"
        )
    reason = (error.strerror or str(error)).lower()
    mend = f"get the right to read `{path}`" if error.errno in (errno.EACCES, errno.EPERM) else "name a folder of keys"
    return KeyRingError(f"`{path}` cannot be read: {reason}", mend)


def _copy_mend() -> str:
    return "make keys with `doraflow keys make`, and copy what `doraflow keys export HOST` writes to the host"


def _damage_mend(path: Path) -> str:
    again = "copy it again from where the keys are made; there, remove it"
    if path.name.endswith(PRIVATE):
        return f"{again} with its public half, and run `doraflow keys make`, which makes a new pair"
    if path.name.endswith(PUBLIC):
        return f"{again}, and run `doraflow keys make`, which writes it from the secret one"
    return f"{again}, so that the key before the present one is not admitted any more"
