"""Metadata as dora's nodes write it, made into parameters: more is let in here than a doraflow node may send.

Where dora carries a value only as its text, so does this, with a warning, so that a node that runs there runs here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.metadata import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.node_api.metadata import Parameter

_NESTED = "parameters"


def parameters_of(metadata: Mapping[str, Any] | None) -> dict[str, Parameter] | None:
    """Take the parameters out of dora's metadata; the timestamp of a received message is its own.

    >>> parameters_of({"parameters": {"width": 640}})
    {'width': 640}
    """
    if not metadata:
        return None
    inner = metadata.get(_NESTED)
    flat = {**metadata, **inner} if isinstance(inner, dict) else metadata
    return {key: _parameter(key, value) for key, value in flat.items() if key not in (TIMESTAMP, _NESTED)}


def _parameter(key: str, value: Any) -> Parameter:
    match value:
        case bool() | int() | float() | str():
            return value
        case datetime():
            return value if value.tzinfo else value.astimezone()  # dora takes it for local time
        case list() | tuple() if not value or type(value[0]) in (int, float, str):
            return list(value)
    text = str(value)
    message = f"metadata `{key}` is {type(value).__name__}, which does not travel; its text is sent: {text:.80}"
    log_lines.write("warn", message, target="doraflow_runtime")
    return text
