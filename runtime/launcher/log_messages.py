"""What readers of logs receive: one text, as dora sends it, in the form of doraflow's wire format.

A text travels as an Arrow array of one string. It is laid out by hand, so that a launcher needs no pyarrow. Pure.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.records import RAW_LEVEL
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from doraflow_runtime.launcher.records import Record

TYPE_NUMBER = 1
STRING_SCHEMA = base64.b64decode(
    "/////3AAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgABgAHAAwAAAAQ"
    "ABAAAAAAAAEFEAAAABgAAAAEAAAAAAAAAAAAAAAAAAAABAAEAAQAAAAAAAAA"
)
"""The type of all messages: an encapsulated Arrow IPC schema with one field, a string without a name."""

_ALIGNMENT = 64
_RECORD = struct.Struct("<qqqBqqqqqq")  # length, nulls, offset, and three buffers: validity, offsets, characters
_OFFSETS = struct.Struct("<ii")
_encoded = json.JSONEncoder(ensure_ascii=False).encode


def string_type() -> bytes:
    """Write the frame that announces the type."""
    return wire.frame(Kind.TYPE, len(STRING_SCHEMA), number=TYPE_NUMBER) + STRING_SCHEMA


def text_message(link: int, text: str) -> bytes:
    """Write the frame of a text on a link."""
    characters = text.encode(errors="backslashreplace")
    record = _RECORD.pack(1, 0, 0, 3, -1, 0, 0, _OFFSETS.size, _ALIGNMENT, len(characters))
    payload = _OFFSETS.pack(0, len(characters)).ljust(_ALIGNMENT, b"\0") + characters
    body = wire.MESSAGE.pack(time.time_ns(), 0, len(record), len(payload)) + record + payload
    return wire.frame(Kind.MESSAGE, len(body), link=link, number=TYPE_NUMBER) + body


def dora_text(record: Record, run_id: str) -> str:
    """Write a record as dora's `LogMessage`, whose fields are texts."""
    others = {name: value for name, value in record.fields.items() if name not in ("file", "line", "module_path")}
    if record.trace_id is not None:
        others["trace_id"] = record.trace_id
    line = record.fields.get("line")
    return _encoded(
        {
            "build_id": None,
            "dataflow_id": run_id,
            "node_id": record.node,
            "daemon_id": None,
            "level": record.level if record.level == RAW_LEVEL else record.level.upper(),
            "target": record.target,
            "module_path": _text(record.fields.get("module_path")),
            "file": _text(record.fields.get("file")),
            "line": int(str(line)) if str(line).isdecimal() else None,
            "message": record.message,
            "timestamp": f"{record.timestamp.removesuffix('+00:00')}Z",
            "fields": {name: _text(value) or "" for name, value in others.items()} or None,
        }
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _encoded(value)
