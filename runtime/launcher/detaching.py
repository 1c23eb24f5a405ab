"""The voice of a launcher that goes on without whoever started it.

Until every node has started its events go to standard output, where the caller waits for them; from then on nobody
listens there. All of them are kept in `launcher.events` beside the nodes' logs. What nodes write is in their log files
alone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.console import Console
from doraflow_runtime.launcher.findings import cause

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.outlet import Outlet
    from doraflow_runtime.launcher.records import Record

JOURNAL = "launcher.events"
_STANDARD_STREAMS = (1, 2)


class DetachedConsole(Console):
    """Tells events as JSON lines. `is_closed` stays False: the run goes on when its caller is gone."""

    __slots__ = ("_has_left", "_journal")

    def __init__(self, output: Outlet) -> None:
        super().__init__("json", output, output)
        self._journal: int | None = None
        self._has_left = False

    def keep_in(self, folder: Path) -> None:
        """Keep what is told from now on in the folder of the logs; where that cannot be, the run goes on without."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._journal = os.open(folder / JOURNAL, flags, 0o600)
        except OSError as error:
            self.progress("log_trouble", f"`{folder / JOURNAL}` cannot be written: {cause(error)}")

    def finish(self) -> None:
        """Write all that still waits for the caller, if that still listens, and close the journal."""
        if not self._has_left:
            super().finish()
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    @property
    def is_closed(self) -> bool:
        """Whether the run is to end because nobody listens: never."""
        return False

    def records(self, records: Sequence[Record]) -> None:
        """Show nothing: the log files hold them."""

    def progress(self, event: str, message: str, **fields: object) -> None:
        """Tell how the run goes; the caller is let go once it has started."""
        super().progress(event, message, **fields)
        if event == "started":
            self._leave()

    def say(self, line: str) -> None:
        """Write a line to whoever still listens, and into the journal."""
        if not self._has_left:
            super().say(line)
        if self._journal is not None:
            with contextlib.suppress(OSError):  # a full disk costs the journal, and not the run
                os.write(self._journal, f"{line}\n".encode(errors="backslashreplace"))

    def _leave(self) -> None:
        """Close the caller's end of standard output; a traceback, if one ever comes, goes into the journal.

        What the caller has not read by now is lost to it, since it must not hold the run up.
        """
        self._has_left = True
        quiet = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for stream in _STANDARD_STREAMS:
            os.dup2(quiet if self._journal is None else self._journal, stream)
        os.close(quiet)
