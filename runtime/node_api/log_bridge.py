"""What Python has to tell, taken to log lines: `logging`, warnings, and exceptions that nobody catches.

A program that has set up any of these for itself keeps what it has. How a line is written stands in `log_lines`.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api import log_lines

if TYPE_CHECKING:
    from types import TracebackType

_BY_NUMBER = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"), (logging.DEBUG, "debug"))
_USUAL_NAMES = frozenset({"CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"})
_TRACE_IDS = ("trace_id", "otelTraceID")
# What every record has: all else was given as `extra`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", *_TRACE_IDS}


class LogLineHandler(logging.Handler):
    """Takes the records of Python's `logging` to log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record: what came as `extra` and its traceback become fields."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit their message: logging's own answer to any fault
            self.handleError(record)
            return
        level = next((name for number, name in _BY_NUMBER if record.levelno >= number), "trace")
        trace_id = next((str(getattr(record, name)) for name in _TRACE_IDS if getattr(record, name, None)), None)
        moment = datetime.fromtimestamp(record.created, UTC)
        log_lines.write(level, message, record.name, _fields(record), trace_id, moment)


def bridge(*, at_terminal: bool = False) -> None:
    """Take everything to log lines that the program has not set up otherwise. May be called more than once.

    `at_terminal` is for a process that somebody has started by hand: what Python has to tell is seen there as well.
    """
    _bridge_logging(at_terminal=at_terminal)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell_of_end_and_show if at_terminal else _tell_of_end
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _tell_of_thread_and_show if at_terminal else _tell_of_thread
    logging.captureWarnings(capture=True)


def _bridge_logging(*, at_terminal: bool) -> None:
    root = logging.getLogger()
    if root.handlers:
        return
    ours = [LogLineHandler(), *([_terminal()] if at_terminal else [])]
    for handler in ours:
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    original = logging.basicConfig

    def set_up(**options: Any) -> None:
        """Do as `logging.basicConfig`, but let records stay log lines unless the program says where they go."""
        standing = [handler for handler in ours if handler in root.handlers]
        if not standing or any(options.get(name) for name in ("handlers", "filename", "stream")):
            for handler in standing:
                root.removeHandler(handler)
            original(**options)
        elif options.get("level") is not None:
            root.setLevel(options["level"])

    logging.basicConfig = set_up


def _terminal() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    return handler


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {"file": record.pathname, "line": record.lineno}
    if record.levelname not in _USUAL_NAMES:
        fields["level_name"] = record.levelname
    if record.threadName not in (None, "MainThread"):
        fields["thread"] = record.threadName
    fields |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
    if record.exc_info and record.exc_info[0] is not None:
        fields |= _exception(record.exc_info[0], record.exc_info[1], record.exc_info[2])
    elif record.exc_text:
        fields["traceback"] = record.exc_text
    if record.stack_info:
        fields["stack"] = record.stack_info
    return fields


def _exception(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> dict[str, object]:
    text = "".join(traceback.format_exception(kind, error, trace))
    return {"exception": _name(kind), "traceback": text}


def _name(kind: type[BaseException]) -> str:
    """Name an exception as tracebacks do."""
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def _tell_of_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _tell(kind, error, trace, {})


def _tell_of_end_and_show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    if not issubclass(kind, KeyboardInterrupt):
        _tell_of_end(kind, error, trace)


def _tell_of_thread_and_show(ended: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(ended)
    _tell_of_thread(ended)


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit:
        return
    name = ended.thread.name if ended.thread is not None else "?"
    _tell(ended.exc_type, ended.exc_value, ended.exc_traceback, {"thread": name})


def _tell(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, fields: dict[str, object]
) -> None:
    message = "".join(traceback.format_exception_only(kind, error)).strip()
    log_lines.write("error", message, "python", {**fields, **_exception(kind, error, trace), "uncaught": True})
