"""A command in a pseudo-terminal: what it shows is awaited, what a person would type is typed."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """One command at work; `shown` is all that it wrote so far, without colours and movements."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self.raw = b""
        self._at = 0

    @property
    def shown(self) -> str:
        return _STEERING.sub("", self.raw.decode("utf-8", "replace"))

    def expect(self, text: str, seconds: float = 60.0) -> None:
        """Wait for a text behind what was awaited before."""
        end = time.monotonic() + seconds
        while (found := self.shown.find(text, self._at)) < 0:
            assert self._read(end - time.monotonic()), f"`{text}` did not come: {self.shown!r}"
        self._at = found + len(text)

    def expect_all(self, *texts: str) -> None:
        """Wait for some texts, in whatever order they come."""
        before = self._at
        for text in texts:
            self._at = before
            self.expect(text)

    def type(self, text: str, seconds: float = 30.0) -> None:
        """Type at a command that waits: a Ctrl-C between its prompt and its `read` is heard behind the `read` alone."""
        end = time.monotonic() + seconds
        while self._is_running():
            assert time.monotonic() < end, f"the command never waited: {self.shown!r}"
            time.sleep(0.005)
        os.write(self._master, text.encode())

    def answer(self, question: str, text: str = "") -> None:
        self.expect(question)
        self.type(f"{text}\n")

    def hang_up(self) -> None:
        """Close the terminal, as a window is closed."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def wait(self, seconds: float = 60.0) -> int:
        """Read to the end and give the exit code."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(timeout=max(0.1, end - time.monotonic()))

    def _is_running(self) -> bool:
        """Whether the first thread has a processor or wants one: proc(5), the third field of `stat`."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(") ")[2].startswith("R")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        try:
            got = os.read(self._master, 65536) if ready else b""
        except OSError:
            return False  # the other end is closed
        self.raw += got
        return bool(got)


@contextmanager
def terminal(*arguments: str, cwd: Path, **environment: str) -> Iterator[Terminal]:
    """Run `doraflow` in a terminal of its own, as its leader, so that Ctrl-C reaches it; kill it in the end."""
    master, slave = pty.openpty()
    known = {"XDG_CACHE_HOME": str(cwd / ".cache"), "XDG_STATE_HOME": str(cwd / ".state"), "TERM": "xterm"}
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-c", _LEADER, sys.executable, "-m", "doraflow", *arguments],
        cwd=cwd,
        env={**inherited, **known, "COLUMNS": "120", **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = Terminal(process, master)
    try:
        yield shown
    finally:
        os.close(shown._master)
        process.kill()
        process.wait()


_LEADER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes the pseudo-terminal the controlling one, as a shell's is."""
