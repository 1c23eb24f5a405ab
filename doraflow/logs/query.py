"""What a reader wants of a log, as data, and times as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from doraflow.logs.records import glance, is_grave_enough, read_record

if TYPE_CHECKING:
    from doraflow_runtime.contract import LogLevel

    from doraflow.logs.records import LogRecord

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Query:
    """Which records are wanted.

    `nodes` is empty for all; `only` is the one level that is wanted, if it is given. `text` is looked for, in any case,
    in message, node, target and the values of fields; `pattern` likewise, as it is written. `since` and `until` are
    moments as records have them, and count as inside.
    """

    nodes: tuple[str, ...] = ()
    lowest: LogLevel = "stdout"
    only: LogLevel | None = None
    text: str = ""
    pattern: re.Pattern[str] | None = None
    since: str = ""
    until: str = ""

    def wanted(self, line: bytes) -> LogRecord | None:
        """Read a line of a log file if it is wanted."""
        known = glance(line)
        if known is not None and not self._is_in_time(known.timestamp, known.level):
            return None
        record = read_record(line)
        return record if record is not None and self.matches(record) else None

    def matches(self, record: LogRecord) -> bool:
        """Tell whether a record is wanted."""
        if self.nodes and record.node not in self.nodes:
            return False
        if not self._is_in_time(record.timestamp, record.level):
            return False
        if not self.text and self.pattern is None:
            return True
        texts = [record.message, record.node, record.target or "", *map(str, record.fields.values())]
        if self.text and not any(self.text.casefold() in text.casefold() for text in texts):
            return False
        return self.pattern is None or any(self.pattern.search(text) for text in texts)

    def _is_in_time(self, timestamp: str, level: str) -> bool:
        if timestamp < self.since or (self.until and timestamp > self.until):
            return False
        return is_grave_enough(level, self.lowest) and (self.only is None or level == self.only)


def moment(text: str, now: datetime) -> str:
    """Read `5m`, `1.5h`, `30` (seconds) as that long before `now`, or a date and time; one without a zone is local.

    Raises ValueError.

    >>> moment("90s", datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-01T23:58:30.000000+00:00'
    """
    short = _DURATION.fullmatch(text.strip())
    try:
        if short is not None:
            return as_written(now - timedelta(seconds=float(short[1]) * _SECONDS[short[2]]))
        return as_written(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is no time: write `5m`, `2h` or `2026-01-31T12:00`") from None


def as_written(time: datetime) -> str:
    """Write a moment as records have it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
