"""A conversation with one host through a process: requests out, answers in, and never a wait without an end.

A host that works says so every second; one that is silent for longer than the given time counts as lost.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GREETING = b"doraflow-deploy "
_LONGEST_PREFACE = 64 * 1024
_CHUNK = 1 << 18
_END_SECONDS = 3.0
_TOLD = 4096


class LostError(Exception):
    """The conversation is over: the process has ended, or is silent. `code` is its exit code, None for silence."""

    def __init__(self, code: int | None, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


class Channel:
    """Talks to a process. Not thread-safe, but `abort` may be called from another thread."""

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        """Start the process; `seconds` bounds every silence. Raises OSError if it cannot be started."""
        self.seconds = seconds
        self.sent = 0
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._rest = bytearray()
        self._lines: deque[bytes] = deque()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is answered by this side alone, and in order
            )
        except OSError:
            self._said.close()
            raise
        self._in, self._out = self._descriptor(self._process.stdin), self._descriptor(self._process.stdout)

    def greet(self, program: bytes) -> dict[str, object]:
        """Send the host its half, wait for its greeting and give what it tells of itself. Raises LostError.

        What a login shell writes before that is passed over.
        """
        self._send(program)
        passed = 0
        while passed < _LONGEST_PREFACE:
            line = self._line()
            passed += len(line) + 1
            if line.startswith(GREETING):
                return _table(line.removeprefix(GREETING))
        raise LostError(None, "it writes without end before anything was asked")

    def ask(self, request: Mapping[str, object]) -> dict[str, object]:
        """Send a request and wait for its answer. Raises LostError."""
        self._send(json.dumps(request).encode() + b"\n")
        return self.answer()

    def send_file(self, request: Mapping[str, object], content: bytes) -> bool:
        """Send a request with the bytes that belong to it; False if the host has answered instead of taking them."""
        with suppress(BrokenPipeError):
            self._send(json.dumps(request).encode() + b"\n", hears=True)
            self._send(content, hears=True)
            self.sent += len(content)
        return not self._lines

    def answer(self) -> dict[str, object]:
        """Wait for the next answer that is more than a sign of life. Raises LostError."""
        while (told := _table(self._line())) == {"alive": True}:
            pass
        return told

    def abort(self) -> None:
        """End the process; what waits for it raises LostError."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Hang up, and give the host a moment to end in order. May be called twice."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.abort()
            self._process.wait()
        self._said.close()

    def _descriptor(self, stream: object) -> int:
        descriptor = int(stream.fileno())  # type: ignore[attr-defined]  # a pipe, as asked for
        os.set_blocking(descriptor, False)
        return descriptor

    def _send(self, data: bytes, *, hears: bool = False) -> None:
        """Write everything; with `hears` an answer, which can only be a refusal, ends it with a BrokenPipeError."""
        try:
            self._write(memoryview(data), hears=hears)
        except BrokenPipeError:
            if hears:
                raise
            raise self._lost() from None

    def _write(self, view: memoryview, *, hears: bool) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_WRITE)
            selector.register(self._out, selectors.EVENT_READ)
            while view:
                ready = selector.select(self.seconds)
                if not ready:
                    raise self._lost()
                for key, _ in ready:
                    if key.fd == self._in:
                        with suppress(BlockingIOError):
                            view = view[os.write(self._in, view[:_CHUNK]) :]
                    elif not self._read() or (hears and self._has_answer()):
                        raise BrokenPipeError

    def _has_answer(self) -> bool:
        self._lines = deque(line for line in self._lines if _table(line) != {"alive": True})
        return bool(self._lines)

    def _line(self) -> bytes:
        deadline = time.monotonic() + self.seconds
        while not self._lines:
            with selectors.DefaultSelector() as selector:
                selector.register(self._out, selectors.EVENT_READ)
                if not selector.select(max(0.0, deadline - time.monotonic())) or not self._read():
                    raise self._lost()
        return self._lines.popleft()

    def _read(self) -> bool:
        """Take in what has come; False at the end of the stream."""
        try:
            data = os.read(self._out, _CHUNK)
        except BlockingIOError:
            return True
        *whole, rest = bytes(self._rest + data).split(b"\n")
        self._rest = bytearray(rest)
        self._lines.extend(whole)
        return bool(data)

    def _lost(self) -> LostError:
        """Make the error for a conversation that is over, with the process's last words."""
        try:
            code: int | None = self._process.wait(_END_SECONDS if self._is_at_end() else 0)
        except subprocess.TimeoutExpired:
            code = None
            self.abort()
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _TOLD))
        return LostError(code, self._said.read().decode(errors="replace"))

    def _is_at_end(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if not selector.select(0):
                return self._process.poll() is not None
        return not self._read()


def _table(line: bytes) -> dict[str, object]:
    """Read an answer; an empty table for a line that is none."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
