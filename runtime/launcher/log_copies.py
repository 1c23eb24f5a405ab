"""The log files of this host for readers on another: what there is, and their lines piece by piece.

A file is asked for by the number that the disk knows it by, so that one which is put aside meanwhile is read on. What
the lines say is the reader's affair.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from doraflow_runtime.control.far_messages import MOST_OF_A_LOG, LogFile, LogPart, Logs
from doraflow_runtime.launcher.findings import cause
from doraflow_runtime.launcher.status import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow_runtime.control.far_messages import ReadLog

_KIND = ".jsonl"


def files(folder: Path) -> Logs:
    """List the log files in a folder, by name. Raises Refused."""
    try:
        return Logs(tuple(sorted(_files(folder), key=lambda file: file.name)))
    except OSError as error:
        raise Refused(f"the logs in `{folder}` cannot be read: {cause(error)}") from error


def part(folder: Path, wanted: ReadLog) -> LogPart:
    """Read whole lines of a file; none where it has no more, or is not there any more. Raises Refused."""
    try:
        name = next((file.name for file in _files(folder) if file.number == wanted.number), "")
        if not name or not 0 <= wanted.offset < 2**63:
            return LogPart("", wanted.offset)
        with (folder / name).open("rb") as stream:
            if os.fstat(stream.fileno()).st_ino != wanted.number:
                return LogPart("", wanted.offset)  # put aside just now; it is found again by whoever asks again
            stream.seek(wanted.offset)
            data = stream.read(MOST_OF_A_LOG)
    except OSError as error:
        raise Refused(f"the logs in `{folder}` cannot be read: {cause(error)}") from error
    length = data.rfind(b"\n") + 1 or (len(data) if len(data) == MOST_OF_A_LOG else 0)
    return LogPart(data[:length].decode("utf-8", "replace"), wanted.offset + length)


def _files(folder: Path) -> Iterator[LogFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if _KIND in entry.name and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield LogFile(entry.name, status.st_ino, status.st_size)
