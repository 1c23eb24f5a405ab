"""Structured log lines: one JSON object a line on standard output, which the launcher takes up.

The object has `doraflow_log`, so that the launcher can tell it from a line that a program prints. Thread-safe: a line
is written with one call.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = ("error", "warn", "info", "debug", "trace")
_BY_NUMBER = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"), (logging.DEBUG, "debug"))


def write(level: str, message: str, target: str | None = None, fields: Mapping[str, str] | None = None) -> None:
    """Write a log line. Raises ValueError, listing the levels, for another level."""
    if level not in LEVELS:
        raise ValueError(f"there is no log level `{level}`: the levels are {', '.join(LEVELS)}")
    line = {
        "doraflow_log": 1,
        "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
        "level": level,
        "message": message,
        "target": target,
        "fields": dict(fields or {}),
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class LogLineHandler(logging.Handler):
    """Takes the records of Python's `logging` to log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; a traceback becomes part of the message."""
        level = next((name for number, name in _BY_NUMBER if record.levelno >= number), "trace")
        fields = {"file": record.pathname, "line": str(record.lineno)}
        write(level, self.format(record), target=record.name, fields=fields)


def bridge_logging() -> None:
    """Send the root logger's records to log lines, unless it has handlers of its own."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(LogLineHandler())
        root.setLevel(logging.INFO)
