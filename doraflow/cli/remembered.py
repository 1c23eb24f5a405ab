"""Commands that say what they said before, as long as nothing changed that decides it.

A result rests on its key (see `doraflow.cli.fingerprint`) and on the answers of the disk that led to it. Both outputs
are kept as they were written, so that nobody can tell a result of the cache from a new one.
"""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO, TypeGuard

from doraflow.cli.entries import Entry, load, store
from doraflow.disk import recorded, still_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow.disk import Answers


def remembered(key: str | None, run: Callable[[], int]) -> int:
    """Say again what `run` said under this key, or run it and keep what it says; give the exit code."""
    if key is None:
        return run()
    entry = load(key)
    if entry is not None:
        answers, code = entry.table.get("answers"), entry.table.get("code")
        if isinstance(code, int) and are_answers(answers) and still_hold(answers):
            say(*entry.texts)
            return code
    with recorded() as record, overheard() as said:
        code = run()
    if record.is_steady:
        store(key, Entry({"code": code, "answers": record.answers}, said.texts()))
    return code


def are_answers(value: object) -> TypeGuard[Answers]:
    """Tell whether a value of an entry has the form of answers."""
    return isinstance(value, dict) and all(isinstance(places, dict) for places in value.values())


def say(output: str = "", errors: str = "") -> None:
    """Write what was kept."""
    sys.stdout.write(output)
    sys.stdout.flush()
    sys.stderr.write(errors)


@dataclass(frozen=True, slots=True)
class Said:
    """What was written to standard output and standard error."""

    output: io.StringIO
    errors: io.StringIO

    def texts(self) -> tuple[str, str]:
        """Give all that was written so far."""
        return self.output.getvalue(), self.errors.getvalue()


@contextmanager
def overheard() -> Iterator[Said]:
    """Let everything pass that is written within the block, and keep it too."""
    said = Said(io.StringIO(), io.StringIO())
    with redirect_stdout(_Passing(sys.stdout, said.output)), redirect_stderr(_Passing(sys.stderr, said.errors)):
        yield said


class _Passing(io.TextIOBase):
    """A stream that writes to another one and keeps a copy. It answers as the other one does."""

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
