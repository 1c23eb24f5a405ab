"""Structured log lines: one JSON object a line on standard output, which the launcher takes up.

The object begins with `doraflow_log`, so that the launcher can tell it from a line that a program prints. What Python
itself has to tell comes from `log_bridge`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEVELS = ("error", "warn", "info", "debug", "trace")
LONGEST = 60 * 1024
"""Bytes of a line; the launcher cuts one of more than 64 KiB, and its parts would be no JSON."""

_LONGEST_TEXT = 8 * 1024
_MOST_BRACKETS = 50  # in a field: the launcher reads no line as a record that may be nested too deep
_STDOUT = 1


def write(
    level: str,
    message: str,
    target: str | None = None,
    fields: Mapping[str, object] | None = None,
    trace_id: str | None = None,
    timestamp: datetime | None = None,
) -> None:
    """Write a log line; what is too long in it is cut. Values that JSON does not know are written as texts.

    A line that nobody takes is lost. May be called from any thread, also of a forked child. Raises ValueError, listing
    the levels, for another level.
    """
    if level not in LEVELS:
        raise ValueError(f"there is no log level `{level}`: the levels are {', '.join(LEVELS)}")
    moment = (timestamp or datetime.now(UTC)).isoformat(timespec="microseconds")
    line = {"doraflow_log": 1, "timestamp": moment, "level": level, "message": message, "target": target}
    values = {str(name): plain(value) for name, value in (fields or {}).items()}
    data = _encoded({**line, "fields": values, "trace_id": trace_id})
    if len(data) > LONGEST:
        line["message"], line["target"] = _cut(message), target and _cut(target)
        data = _encoded({**line, "fields": _fitting(values), "trace_id": trace_id and _cut(trace_id)})
    _outlet().write(data)


def send_to(pipe: Path) -> None:
    """Let all lines go to a pipe from now on: standard output is no affair of a launcher that did not start us.

    If nobody reads it any more, they go to standard output again. Raises OSError.
    """
    _outlet().send_to(pipe)


def warn_of_dropped_loan(output: str) -> None:
    """Say that a loan was neither sent nor given back."""
    text = f"a loan on `{output}` was dropped and nothing sent: write it inside `with`, which sends it"
    write("warn", text, target="doraflow_runtime", fields={"output": output})


def plain(value: object) -> object:
    """Give a value that JSON can hold, or its text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return _shown(value)
    return value if text.count("[") + text.count("{") <= _MOST_BRACKETS else text


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - it is the value's own code, and a log line must not end its program
        return f"(cannot be shown: {type(error).__name__})"


def _encoded(line: Mapping[str, object]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _fitting(values: Mapping[str, object]) -> dict[str, object]:
    """Keep as many fields as there is room for, long ones cut; a traceback keeps its end."""
    kept: dict[str, object] = {}
    room = LONGEST - 4 * _LONGEST_TEXT
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        short = _cut(text[::-1])[::-1] if name == "traceback" else _cut(text)
        size = len(_encoded({name: short}))
        if size <= room:
            room -= size
            kept[name] = value if short == text else short
    return {**kept, "cut": True}


def _cut(text: str) -> str:
    """Shorten a text until it takes no more than _LONGEST_TEXT bytes in a line."""
    while len(_encoded({"": text})) > _LONGEST_TEXT:
        text = text[: len(text) // 2]
    return text


class _Outlet:
    """Standard output of the process, whatever `sys.stdout` is by now, or a pipe: each line goes out in one piece."""

    def __init__(self) -> None:
        self._descriptor = _STDOUT
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._descriptor != _STDOUT:
                try:
                    _write_all(self._descriptor, data)
                except OSError:
                    self._leave_pipe()  # the run is over
                else:
                    return
            with contextlib.suppress(OSError, ValueError):  # nobody listens: what is said is lost, no more
                if sys.stdout is not None:
                    sys.stdout.flush()  # what was printed before stands before it
                _write_all(_STDOUT, data)

    def send_to(self, pipe: Path) -> None:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(descriptor, True)
        with self._lock:
            self._leave_pipe()
            self._descriptor = descriptor

    def _leave_pipe(self) -> None:
        if self._descriptor != _STDOUT:
            os.close(self._descriptor)
            self._descriptor = _STDOUT

    def _renew(self) -> None:
        """Take a new lock: in a child, a thread that is not there may hold the old one."""
        self._lock = threading.RLock()


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


@functools.cache
def _outlet() -> _Outlet:
    return _Outlet()
