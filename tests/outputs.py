"""What a command has printed, held against its schema: complete, and with no key that the schema does not know."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from doraflow.printed.schemas import LINES, schema_of

OPEN = ("RunEvent",)
"""Objects with keys of their own beside those of their type."""


def told(command: str, printed: str) -> list[Any]:
    """Read what a command printed, and check every object of it."""
    objects = [json.loads(line) for line in printed.splitlines()] if command in LINES else [json.loads(printed)]
    validator = Draft202012Validator(_closed(schema_of(command)))
    for each in objects:
        validator.validate(each)
    return objects


def _closed(schema: Any, name: str = "") -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part, key) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and name not in OPEN:
        closed["additionalProperties"] = False
    return closed
