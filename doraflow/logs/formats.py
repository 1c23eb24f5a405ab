"""Records written out: as text for people, as JSON lines, CSV or YAML for tools. Pure; nothing is printed here."""

from __future__ import annotations

import csv
import io
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow.logs.records import LogRecord

COLUMNS = ("timestamp", "level", "node", "message", "target", "fields", "trace_id")
_NOT_SHOWN = frozenset({"stream", "goes_on", "file", "line", "traceback", "exception", "uncaught", "stack"})
_MILLISECONDS = len("2026-01-02T03:04:05.000")
# Colours that a node chose stay; whatever else could steer a terminal is shown by its number.
_CONTROL = re.compile(r"(?P<colour>\x1b\[[0-9;:]*m)|[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class LogFormat(StrEnum):
    """How records are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    YAML = "yaml"


def opening(form: LogFormat) -> str:
    """Give what stands before the first record."""
    return _row(COLUMNS) if form is LogFormat.CSV else ""


def closing(form: LogFormat, *, is_empty: bool) -> str:
    """Give what stands after the last record."""
    return "[]\n" if form is LogFormat.YAML and is_empty else ""


def written(record: LogRecord, form: LogFormat, width: int = 0) -> str:
    """Write a record with its line end; `width` is the length of the longest node id."""
    match form:
        case LogFormat.TEXT:
            return "".join(f"{line}\n" for line in text_lines(record, width))
        case LogFormat.JSON:
            return json.dumps(record.as_object(), ensure_ascii=False) + "\n"
        case LogFormat.CSV:
            fields = json.dumps(record.fields, ensure_ascii=False)
            cells = (record.target or "", fields, record.trace_id or "")
            return _row((record.timestamp, record.level, record.node, record.message, *cells))
        case LogFormat.YAML:
            # JSON is YAML, so every value is written as JSON.
            values = record.as_object().items()
            pairs = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values]
            return "- " + "  ".join(pairs)


def text_lines(record: LogRecord, width: int = 0) -> list[str]:
    """Give a record as lines for people, without control characters; the first one has its time, level and fields."""
    first, *more = map(printable, record.lines())
    name = f"{record.node:<{width}} | "
    level = "" if record.level == "stdout" else f"{record.level}: "
    others = "".join(f" {key}={_value(value)}" for key, value in record.fields.items() if key not in _NOT_SHOWN)
    begin = f"{record.timestamp[:_MILLISECONDS]}Z "
    return [f"{begin}{name}{level}{first}{others}", *(f"{' ' * len(begin)}{name}{line}" for line in more)]


def printable(text: str) -> str:
    r"""Show control characters, other than tabs and colours, by their numbers.

    >>> printable("\x1b[31mred\x1b[0m \x07")
    '\x1b[31mred\x1b[0m \\x07'
    """
    return _CONTROL.sub(lambda found: found["colour"] or f"\\x{ord(found[0]):02x}", text)


def _value(value: object) -> str:
    return printable(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _row(cells: tuple[str, ...]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(cells)
    return row.getvalue()
