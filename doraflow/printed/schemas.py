"""The JSON Schemas (2020-12) of what commands print with `--output json`, made from the types.

Objects are open: a reader has to leave alone the keys that it does not know.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

SchemaObject: TypeAlias = dict[str, object]

COMMANDS = (
    "init",
    "check",
    "build",
    "graph",
    "expand",
    "plan",
    "lock",
    "migrate",
    "new node",
    "run",
    "start",
    "stop",
    "restart",
    "pause",
    "resume",
    "list",
    "status",
    "inspect",
    "logs",
    "deploy",
    "doctor",
    "explain",
    "keys make",
    "keys list",
    "keys rotate",
    "keys retire",
    "keys export",
    "keys signing",
    "sign",
)
"""The commands that print data, in the order of `doraflow --help`."""

LINES = ("run", "inspect", "logs")
"""Those that print an object a line, for as long as something comes."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(command: str) -> SchemaObject:
    """Make the schema of what a command prints, or of a line of it.

    >>> schema_of("list")["required"]
    ['version', 'runs']
    """
    if command == "expand":
        from doraflow.editor.schema import Kind, schema

        return schema(Kind.DATAFLOW)
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        """Every key is printed, whatever its value."""

        def field_is_required(self, field: object, total: bool) -> bool:  # noqa: ARG002, FBT001 - as pydantic calls it
            return True

    adapter: TypeAdapter[object] = TypeAdapter(_printed(command))
    made = adapter.json_schema(mode="serialization", schema_generator=Generator)
    whole = "a line of `" if command in LINES else "`"
    head = {"$schema": _DIALECT, "$id": f"urn:doraflow:output:{command.replace(' ', '-')}"}
    told = {"description": made.pop("description")} if "description" in made else {}
    return {**head, "title": f"{whole}doraflow {command} --output json`", **told, **_plain(made)}


def schema_text(command: str) -> str:
    """Write the schema of a command, as it is committed and printed."""
    return json.dumps(schema_of(command), indent=2, ensure_ascii=False) + "\n"


def file_of(command: str) -> str:
    """Name the file of a command's schema.

    >>> file_of("new node")
    'new-node.schema.json'
    """
    return f"{command.replace(' ', '-')}.schema.json"


def _plain(made: SchemaObject) -> SchemaObject:
    """Leave out the titles that repeat a name."""
    return {key: _without_titles(value) for key, value in made.items() if key != "title"}


def _without_titles(value: object) -> object:
    match value:
        case {**table}:
            return {
                str(key): _named(part) if key in ("properties", "$defs") else _without_titles(part)
                for key, part in table.items()
                if not (key == "title" and isinstance(part, str))
            }
        case [*parts]:
            return [_without_titles(part) for part in parts]
    return value


def _named(table: object) -> object:
    """Keep what is named `title` among properties."""
    return {key: _without_titles(part) for key, part in table.items()} if isinstance(table, dict) else table


def _printed(command: str) -> Any:
    """Give the type of what a command prints."""
    from doraflow.analysis.placement.summary import Summary
    from doraflow.deploy.reports import DeployReport, DeployStatus
    from doraflow.logs.records import LogRecord
    from doraflow.operate.inspecting import Message, Pace, Schema
    from doraflow.printed import objects

    types: dict[str, Any] = {
        "init": objects.Written,
        "check": objects.Findings,
        "build": objects.Findings,
        "graph": objects.DrawnGraph,
        "plan": Summary,
        "lock": objects.Written,
        "migrate": objects.Migrated,
        "new node": objects.Written,
        "run": objects.RunLine,
        "start": objects.Started,
        "list": objects.RunList,
        "status": objects.RunStatus,
        "inspect": Message | Schema | Pace,
        "logs": LogRecord,
        "deploy": DeployReport | DeployStatus,
        "doctor": objects.Machine,
        "keys make": objects.KeyChanges,
        "keys list": objects.KeyRing,
        "keys rotate": objects.KeyChanges,
        "keys retire": objects.KeyChanges,
        "keys export": objects.Written,
        "keys signing": objects.Written,
        "sign": objects.Written,
        "explain": objects.Explained | objects.KnownCodes,
    }
    return types.get(command, objects.Answer)
