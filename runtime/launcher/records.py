"""Log records: made of the lines of a node's output, with the JSON form that log files and `--output json` share.

docs/logs.md specifies the form. A line that is a JSON object with a level and a time is a structured record, as in
dora; any other line becomes a record of level `stdout`. What becomes of a record is not decided here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from doraflow_runtime.contract import LOG_LEVELS, LogLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.launcher.lines import Line

Stream: TypeAlias = Literal["stdout", "stderr"]

RAW_LEVEL: LogLevel = "stdout"
OWN_LINE = '{"doraflow_log": 1, '
"""How the node API begins a log line: in the midst of a line, it follows a text that was printed without an end."""

_MARK = "doraflow_log"
_LONGEST_TRACE_ID = 128
_MOST_BRACKETS = 200  # as deep as a record can be nested: to write one down again takes no more stack than that
_RANKS = {level: rank for rank, level in enumerate(LOG_LEVELS)}
_OTHER_NAMES: dict[str, LogLevel] = {"warning": "warn", "critical": "error", "fatal": "error"}
# What a record has of its own, and what dora's programs tell of themselves, which the launcher knows better.
_NOT_FIELDS = frozenset(
    {_MARK, "timestamp", "level", "message", "target", "fields", "trace_id"}
    | {"node", "node_id", "build_id", "dataflow_id", "daemon_id"}
)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_decoded = json.JSONDecoder(parse_constant=_refuse).decode
_encoded = json.JSONEncoder(ensure_ascii=False).encode
_RAW_FIELDS: dict[Stream, dict[str, object]] = {"stdout": {"stream": "stdout"}, "stderr": {"stream": "stderr"}}


@dataclass(frozen=True, slots=True)
class Record:
    """One log record; `timestamp` is ISO 8601 in UTC."""

    timestamp: str
    level: LogLevel
    node: str
    message: str
    target: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    trace_id: str | None = None

    def as_json(self) -> str:
        """Give the record as one line of JSON, without a line end."""
        stream = self.fields.get("stream") if len(self.fields) == 1 else None
        fields = f'{{"stream": "{stream}"}}' if stream in _RAW_FIELDS else _encoded(self.fields)
        target = "null" if self.target is None else _encoded(self.target)
        trace_id = "null" if self.trace_id is None else _encoded(self.trace_id)
        return (
            f'{{"timestamp": "{self.timestamp}", "level": "{self.level}", "node": {_encoded(self.node)}, '
            f'"message": {_encoded(self.message)}, "target": {target}, "fields": {fields}, "trace_id": {trace_id}}}'
        )

    def lines(self) -> list[str]:
        """Give the message as it is shown, with the traceback if there is one; its last line may be the message."""
        traceback = self.fields.get("traceback")
        if not isinstance(traceback, str):
            return self.message.split("\n")
        below = traceback.rstrip("\n").split("\n")
        return below if self.fields.get("uncaught") is True else [*self.message.split("\n"), *below]


def passes(level: LogLevel, lowest: LogLevel) -> bool:
    """Tell whether a record of `level` is grave enough.

    >>> passes("warn", "info"), passes("stdout", "trace"), passes("trace", "stdout")
    (True, False, True)
    """
    return _RANKS[level] <= _RANKS[lowest]


def timestamp() -> str:
    """Give the time of this moment, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def records_of(line: Line, node: str, stream: Stream, now: str) -> list[Record]:
    """Make the record of a line, or two of a log line that stands behind a text without an end.

    >>> from doraflow_runtime.launcher.lines import Line
    >>> [record.fields for record in records_of(Line("ready"), "camera", "stderr", "2026-01-01T00:00:00.000000+00:00")]
    [{'stream': 'stderr'}]
    """
    text = line.text
    at = text.find("{")
    if at > 0:
        at = text.find(OWN_LINE)
    if at >= 0 and not line.goes_on:
        structured = _structured(text[at:], node, now)
        if structured is not None:
            return [_raw(text[:at], node, stream, now), structured] if at else [structured]
    return [_raw(text, node, stream, now, goes_on=line.goes_on)]


def _raw(text: str, node: str, stream: Stream, now: str, *, goes_on: bool = False) -> Record:
    fields = _RAW_FIELDS[stream] if not goes_on else {"stream": stream, "goes_on": True}
    return Record(now, RAW_LEVEL, node, text, None, fields)


def _structured(text: str, node: str, now: str) -> Record | None:
    said = _object(text)
    if said is None:
        return None
    level = _level(said.get("level"))
    is_own = said.get(_MARK) == 1
    time = _time(said.get("timestamp"))
    fields = said.get("fields")
    if level is None or not (time or is_own) or not isinstance(fields, dict | None):
        return None
    fields = {**(fields or {}), **{key: item for key, item in said.items() if key not in _NOT_FIELDS}}
    message, target, trace = (_text(said, fields, key) for key in ("message", "target", "trace_id"))
    if is_own and message is None:
        return None
    return Record(time or now, level, node, message or "", target, fields, trace and trace[:_LONGEST_TRACE_ID])


def _object(text: str) -> dict[str, object] | None:
    if text.count("{") + text.count("[") > _MOST_BRACKETS:
        return None
    try:
        said = _decoded(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _level(said: object) -> LogLevel | None:
    name = said.lower() if isinstance(said, str) else ""
    return name if name in _RANKS else _OTHER_NAMES.get(name)


def _time(said: object) -> str | None:
    """Write a time as all records have it; None for what names no moment, such as a time without its zone."""
    if not isinstance(said, str):
        return None
    try:
        moment = datetime.fromisoformat(said)
        return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _text(said: dict[str, object], fields: dict[str, object], key: str) -> str | None:
    """Take a text from where loggers put it: at the top, or among the fields, from where it is taken away."""
    text = said.get(key)
    if isinstance(text, str):
        return text
    return str(fields.pop(key)) if isinstance(fields.get(key), str) else None
