"""Log files: a private folder for each run, in it one file of JSON lines for each node.

A file that cannot be written is told once, and the run goes on. What the lines say is made in `records`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doraflow_runtime.launcher.records import Record

_CODE = "DF806"


def default_folder(dataflow: str, environment: Mapping[str, str]) -> Path:
    """Name a folder for the logs of a run that begins now, below `XDG_STATE_HOME` or `~/.local/state`."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/"), ".local", "state"))
    return Path(state, "doraflow", dataflow, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}")


def create_folder(folder: Path) -> None:
    """Make the folder, for this user alone. Raises LaunchError where that cannot be done."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        message = f"the log folder `{folder}` cannot be used: {cause(error)}"
        raise LaunchError(Finding(_CODE, message, help="name another one with `--log-dir DIR`")) from error


def file_name(node: str) -> str:
    """Name the file of a node, whatever its id is.

    >>> file_name("front.camera"), file_name("../x")
    ('front.camera.jsonl', '%2E.%2Fx.jsonl')
    """
    safe = "".join(letter if letter.isalnum() or letter in "._-" else f"%{ord(letter):02X}" for letter in node)
    return f"{'%2E' + safe[1:] if safe.startswith('.') else safe}.jsonl"


class LogFolder:
    """The log files of a run. The first write that fails is told to `complain`, later ones are not."""

    __slots__ = ("_complain", "_files", "path")

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        """Take an existing folder."""
        self.path = path
        self._files: dict[str, LogFile] = {}
        self._complain: Callable[[str], None] | None = complain

    def file(self, node: str) -> Path:
        """Say where the records of a node lie."""
        return self.path / file_name(node)

    def write(self, node: str, records: Sequence[Record]) -> None:
        """Append records of a node."""
        file = self._files.get(node)
        if file is None:
            file = self._files[node] = LogFile(self.file(node))
        file.write(records)
        if file.trouble is not None and self._complain is not None:
            self._complain(f"`{file.path}` cannot be written: {file.trouble}; the run goes on without a full log")
            self._complain = None

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()


class LogFile:
    """The log file of one node. A write that fails is remembered in `trouble`, and the next one is tried again."""

    __slots__ = ("_descriptor", "_is_torn", "path", "trouble")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        self._is_torn = False
        self._descriptor: int | None = None
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            self.trouble = cause(error)

    def write(self, records: Sequence[Record]) -> None:
        """Append records, one line each."""
        if self._descriptor is None:
            return
        # A line that was cut off by a full disk must not swallow the next one.
        text = "\n" * self._is_torn + "".join(f"{record.as_json()}\n" for record in records)
        data = memoryview(text.encode())
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
                self._is_torn = bool(data)
        except OSError as error:
            self.trouble = cause(error)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
