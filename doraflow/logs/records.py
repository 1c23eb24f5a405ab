"""A record of a log as readers see it, made of a line of a log file.

docs/logs.md specifies the lines. Which records are wanted is decided in `query`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from doraflow_runtime.contract import LOG_LEVELS, LogLevel

_TIME = slice(15, 47)
_BEGIN, _BETWEEN = b'{"timestamp": "', b'", "level": "'
_RANKS: dict[str, int] = {level: rank for rank, level in enumerate(LOG_LEVELS)}


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record; `timestamp` is ISO 8601 in UTC with microseconds, so that texts are ordered as moments are."""

    timestamp: str
    level: LogLevel
    node: str
    message: str
    target: str | None = None
    fields: dict[str, object] = field(default_factory=dict)
    trace_id: str | None = None

    def lines(self) -> list[str]:
        """Give the message as it is shown, with the traceback if there is one; its last line may be the message."""
        traceback = self.fields.get("traceback")
        if not isinstance(traceback, str):
            return self.message.split("\n")
        below = traceback.rstrip("\n").split("\n")
        return below if self.fields.get("uncaught") is True else [*self.message.split("\n"), *below]

    def as_object(self) -> dict[str, object]:
        """Give the record as its line in a log file has it."""
        return {
            "timestamp": self.timestamp,
            "level": self.level,
            "node": self.node,
            "message": self.message,
            "target": self.target,
            "fields": self.fields,
            "trace_id": self.trace_id,
        }


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of a line without reading it as JSON."""

    timestamp: str
    level: str


def glance(line: bytes) -> Glance | None:
    """Look at the beginning of a line; None if it does not begin as the launcher writes it.

    >>> glance(b'{"timestamp": "2026-01-02T03:04:05.000006+00:00", "level": "info", "node": "a"}').level
    'info'
    """
    after = _TIME.stop + len(_BETWEEN)
    if line[: _TIME.start] != _BEGIN or line[_TIME.stop : after] != _BETWEEN:
        return None
    end = line.find(b'"', after)
    return Glance(line[_TIME].decode("ascii", "replace"), line[after:end].decode("ascii", "replace"))


def read_record(line: bytes) -> LogRecord | None:
    """Read a line of a log file; None for one that is no record, such as the half of one."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match said:
        case {
            "timestamp": str(timestamp),
            "level": "error" | "warn" | "info" | "debug" | "trace" | "stdout" as level,
            "node": str(node),
            "message": str(message),
        }:
            target, fields, trace_id = said.get("target"), said.get("fields"), said.get("trace_id")
            return LogRecord(
                timestamp,
                level,
                node,
                message,
                target if isinstance(target, str) else None,
                fields if isinstance(fields, dict) else {},
                trace_id if isinstance(trace_id, str) else None,
            )
    return None


def is_grave_enough(level: str, lowest: LogLevel) -> bool:
    """Tell whether a level passes; lines without a level of their own pass `stdout` alone, as in dora."""
    return _RANKS.get(level, len(_RANKS)) <= _RANKS[lowest]
