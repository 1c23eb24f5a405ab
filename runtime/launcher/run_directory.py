"""The private directory of a run: made, locked, found again when stale, removed.

It lies on tmpfs where there is one, since the shared memory of the nodes lies in it. Whoever holds the lock of a
directory owns it; a directory whose lock can be taken belongs to no one any more. What lies inside is others' affair.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.control.places import BASE_VARIABLE, LOCK, base_name, is_held
from doraflow_runtime.launcher.findings import Finding, LaunchError, cause
from doraflow_runtime.launcher.leftovers import end_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODE = "DF806"
_NAME_LENGTH = 32
_MOST_ATTEMPTS = 100
"""Where nothing can be made, such as in /proc, the base is missing for ever."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A directory that this process owns as long as `lock` (a file descriptor) is open."""

    path: Path
    lock: int

    def remove(self) -> None:
        """Remove the directory with all that is in it, then give up the lock."""
        remove(self.path)
        os.close(self.lock)


def create(base: Path, dataflow: str, token: str, name: str = "") -> RunDirectory:
    """Sweep stale runs out of `base`, then make and lock `<dataflow>-<token>` in it, or `name` if one is given.

    Raises LaunchError where that cannot be done, where a run of that name goes on, or where `base` is open to others.
    """
    path = base / (name or f"{dataflow[:_NAME_LENGTH]}-{token}")
    try:
        return _create(base, path)
    except FileExistsError as error:
        if not name:
            raise _refused(base, cause(error)) from error
        mend = f"stop it with `doraflow stop {name}`, or choose another name"
        raise LaunchError(Finding("DF847", f"a run named `{name}` goes on already", help=mend)) from error
    except OSError as error:
        raise _refused(base, cause(error)) from error


def unusable(path: Path, error: OSError) -> Finding:
    """Say that a run's directory, once made, cannot be filled."""
    message = f"the run directory `{path}` cannot be written: {cause(error)}"
    return Finding(_CODE, message, help=f"make room there, or set `{BASE_VARIABLE}` to a folder of your own")


def remove(path: Path) -> None:
    """Remove a run's directory, whoever else is removing it at the same time, and the base if that is now empty."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path, onerror=_ignore_missing)
    base = path.parent
    if base.name == base_name():
        # Another run lies in it or is being made, or its launcher has removed it already.
        with contextlib.suppress(OSError), _locked(base, fcntl.LOCK_NB):
            base.rmdir()


def _create(base: Path, path: Path) -> RunDirectory:
    for _ in range(_MOST_ATTEMPTS):
        # A run that ends in this moment may remove the empty base.
        with contextlib.suppress(FileNotFoundError):
            return _attempt(base, path)
    return _attempt(base, path)


def _attempt(base: Path, path: Path) -> RunDirectory:
    _ensure_private(base)
    with _locked(base):
        _sweep(base)
        path.mkdir(mode=0o700)
        return RunDirectory(path, _take_lock(path / LOCK, os.O_CREAT))


def _ignore_missing(function: object, path: str, info: tuple[type[BaseException], BaseException, object]) -> None:
    del function, path
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]


def _refused(base: Path, reason: str) -> LaunchError:
    message = f"no directory for the run can be made in `{base}`: {reason}"
    return LaunchError(Finding(_CODE, message, help=f"set `{BASE_VARIABLE}` to a folder of your own"))


def _ensure_private(base: Path) -> None:
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700, parents=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(base, "it is not a directory")
    if found.st_uid != os.getuid():
        raise _refused(base, f"it belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise _refused(base, f"other users have access to it (mode {stat.S_IMODE(found.st_mode):03o})")


@contextlib.contextmanager
def _locked(base: Path, flags: int = 0) -> Iterator[None]:
    """Hold the lock of the base, which is the directory itself: while it is held no run is half made.

    Raises FileNotFoundError if it was removed meanwhile, also if another has been made in its place.
    """
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        if not os.path.samestat(os.fstat(descriptor), base.stat()):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        yield
    finally:
        os.close(descriptor)


def _take_lock(path: Path, flags: int = 0) -> int:
    """Open and lock a run's lock file. Raises BlockingIOError where a living launcher holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep(base: Path) -> None:
    """Remove the runs whose launcher is gone, and end what may be left of their processes."""
    for path in sorted(base.iterdir()):
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            continue
        if not is_held(path):
            end_leftovers(path)
            with contextlib.suppress(OSError):  # then it stays for the next sweep; this run does not need its place
                shutil.rmtree(path, onerror=_ignore_missing)
