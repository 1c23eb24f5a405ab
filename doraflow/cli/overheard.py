"""What a command writes, kept while it is written."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Said:
    """What was written to standard output and to standard error."""

    output: io.StringIO = field(default_factory=io.StringIO)
    errors: io.StringIO = field(default_factory=io.StringIO)

    def texts(self) -> tuple[str, str]:
        """Give all that was written so far."""
        return self.output.getvalue(), self.errors.getvalue()


@contextmanager
def overheard() -> Iterator[Said]:
    """Let everything pass that is written within the block, and keep it too."""
    said = Said()
    with redirect_stdout(_Passing(sys.stdout, said.output)), redirect_stderr(_Passing(sys.stderr, said.errors)):
        yield said


def say(output: str, errors: str) -> None:
    """Write again what was kept."""
    sys.stdout.write(output)
    sys.stdout.flush()
    sys.stderr.write(errors)
    sys.stderr.flush()


class _Passing(io.TextIOBase):
    """A stream that writes to another one and to a copy. It answers as the other one does."""

    def __init__(self, stream: TextIO, copy: io.StringIO) -> None:
        self._stream = stream
        self._copy = copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # a plain attribute there
        return self._stream.errors
