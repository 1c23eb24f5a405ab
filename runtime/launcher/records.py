"""Log records: one per line of a node's output, with the JSON form that log files and `--output json` share.

A node that writes `{"doraflow_log": 1, ...}` on a line of standard output sets level, time and fields itself; any
other line becomes a record of level `stdout`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.launcher.lines import Line

Stream: TypeAlias = Literal["stdout", "stderr"]

RAW_LEVEL = "stdout"
LEVELS = frozenset({"error", "warn", "info", "debug", "trace"})
_MARK = "doraflow_log"


@dataclass(frozen=True, slots=True)
class Record:
    """One log record; `timestamp` is ISO 8601 in UTC."""

    timestamp: str
    level: str
    node: str
    message: str
    target: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> str:
        """Give the record as one line of JSON, without a line end."""
        content = {
            "timestamp": self.timestamp,
            "level": self.level,
            "node": self.node,
            "message": self.message,
            "target": self.target,
            "fields": dict(self.fields),
        }
        return json.dumps(content, ensure_ascii=False)


def timestamp() -> str:
    """Give the time of this moment, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def record_of(line: Line, node: str, stream: Stream, now: str) -> Record:
    """Make the record of a line; one whose structure is not right is taken as plain text.

    >>> from doraflow_runtime.launcher.lines import Line
    >>> record_of(Line("ready"), "camera", "stderr", "2026-01-01T00:00:00.000000+00:00").fields
    {'stream': 'stderr'}
    """
    if stream == "stdout" and line.text.startswith("{") and not line.goes_on:
        structured = _structured(line.text, node, now)
        if structured is not None:
            return structured
    fields: dict[str, object] = {"stream": stream}
    if line.goes_on:
        fields["goes_on"] = True
    return Record(now, RAW_LEVEL, node, line.text, None, fields)


def _structured(text: str, node: str, now: str) -> Record | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match said:
        case {"level": str(level), "message": str(message)} if said.get(_MARK) == 1 and level in LEVELS:
            target, fields, time = said.get("target"), said.get("fields"), said.get("timestamp")
            return Record(
                timestamp=time if isinstance(time, str) else now,
                level=level,
                node=node,
                message=message,
                target=target if isinstance(target, str) else None,
                fields=fields if isinstance(fields, dict) else {},
            )
    return None
