"""What goes wrong on a host, as it is told to whoever deploys."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class RemoteError(Exception):
    """A fault with the code of its finding; `help` states what mends it, `notes` are lines that explain it."""

    def __init__(self, code: str, message: str, help: str, notes: tuple[str, ...] = ()) -> None:  # noqa: A002 - as in a finding
        super().__init__(message)
        self.code = code
        self.help = help
        self.notes = notes


_MENDS = {
    errno.ENOSPC: "make room on its disk; `--keep 1` keeps fewer earlier versions",
    errno.EDQUOT: "make room within your quota there; `--keep 1` keeps fewer earlier versions",
    errno.EACCES: "get the right to write there, or give the host another `folder`",
    errno.EPERM: "get the right to write there, or give the host another `folder`",
    errno.EROFS: "make it writable, or give the host another `folder`",
}


def folder_error(error: OSError, folder: Path) -> RemoteError:
    """Tell of a folder that cannot be used; with the room that is left where that is the cause."""
    reason = (error.strerror or str(error)).lower()
    at = str(error.filename) if error.filename else ""
    place = f" at `{at}`" if at and at != str(folder) else ""
    room = f", {_room(folder)} bytes are free" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    mend = _MENDS.get(error.errno or 0, "see to the folder on the host, or give the host another `folder`")
    return RemoteError("DF875", f"`{folder}` cannot be used: {reason}{place}{room}", mend)


def _room(folder: Path) -> int:
    existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return shutil.disk_usage(existing).free
