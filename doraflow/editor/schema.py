"""The language as JSON Schema (2020-12), made from the parser's models.

A schema accepts whatever the models accept; what joins two keys or two nodes is for `doraflow check`. Nothing here
knows a single key: keys, words, ranges and descriptions all come from `doraflow.parser`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from pydantic.json_schema import GenerateJsonSchema

from doraflow.parser.kinds import nothing_is_empty_list, nothing_is_empty_map
from doraflow.parser.model import Dataflow, Debug, Inventory, ModuleFile, Node, OperatorBody
from doraflow.parser.old_keys import OLD_KEYS
from doraflow.parser.owners import known_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

    from doraflow.parser.keys import Keys

Schema: TypeAlias = dict[str, object]

# The keys of `doraflow.parser.dialects` that stand where a key of the model may stand.
_OLD_SPELLINGS: Mapping[type[Keys], tuple[str, ...]] = MappingProxyType(
    {
        Dataflow: ("_unstable_deploy", "_unstable_debug", "daemon_config", "envs"),
        Debug: ("publish_all_messages_to_zenoh",),
        Node: ("custom", "run", "_unstable_deploy", "envs"),
        OperatorBody: ("shared_library",),
    }
)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Kind(StrEnum):
    """The kinds of files that the language knows."""

    DATAFLOW = "dataflow"
    MODULE = "module"
    INVENTORY = "inventory"


def schema(kind: Kind) -> Schema:
    """Make the schema of one kind of file.

    >>> schema(Kind.INVENTORY)["required"]
    ['hosts']
    """
    model = _model(kind)
    made = model.model_json_schema(schema_generator=_Generator)
    definitions = made.pop("$defs", {})
    head = {"$schema": _DIALECT, "$id": f"urn:doraflow:{kind}", "title": f"doraflow {model.noun}"}
    tail = {"$defs": dict(sorted(definitions.items()))} if definitions else {}
    return {**head, **{key: value for key, value in made.items() if key not in head}, **tail}


def schema_text(kind: Kind) -> str:
    """Write the schema of one kind of file, as it is committed and printed."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def _model(kind: Kind) -> type[Keys]:
    models: dict[Kind, type[Keys]] = {
        Kind.DATAFLOW: Dataflow,
        Kind.MODULE: ModuleFile,
        Kind.INVENTORY: Inventory,
    }
    return models[kind]


class _Generator(GenerateJsonSchema):
    """pydantic's generator, taught what its validators let through and how a file spells nothing."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the signature is pydantic's
        """Leave titles to mappings: a key is its own title."""
        return False

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Allow nothing at all where a list or map may be left out after its key."""
        made = super().function_before_schema(schema)
        is_optional = schema["function"]["function"] in (nothing_is_empty_list, nothing_is_empty_map)
        return _or_nothing(made) if is_optional else made

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Write `type: [X, "null"]` where pydantic writes a choice of two schemas."""
        return _or_nothing(self.generate_inner(schema["schema"]))

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Refuse keys that are no ids, where pydantic would let their values be anything."""
        made = super().dict_schema(schema)
        for pattern, value in made.pop("patternProperties", {}).items():
            made |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Tell of defaults that are words, numbers and booleans; the others go without saying."""
        made = super().default_schema(schema)
        if made.get("default") is None or isinstance(made["default"], dict | list):
            made.pop("default", None)
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Title a mapping as messages call it, and list its own keys before those that it shares."""
        made = super().model_schema(schema)
        kind: type[Keys] = schema["cls"]
        properties = made.get("properties", {})
        own = {key: properties[key] for key in known_keys(kind) if key in properties}
        old = {key: _old(key) for known, keys in _OLD_SPELLINGS.items() if issubclass(kind, known) for key in keys}
        return {**made, "title": kind.noun, "properties": {**own, **old}}


def _old(key: str) -> Schema:
    """Make the schema of an old spelling: any value, as `doraflow check` tells what has become of it."""
    return {"deprecated": True, "description": f"An old spelling: {OLD_KEYS[key]}."}


def _or_nothing(made: JsonSchemaValue) -> JsonSchemaValue:
    words = made.get("type")
    if isinstance(words, list) and "null" in words:
        return made
    if words is None or "enum" in made:
        choices = made["anyOf"] if set(made) == {"anyOf"} else [made]
        return {"anyOf": [*choices, {"type": "null"}]}
    return {**made, "type": [*(words if isinstance(words, list) else [words]), "null"]}
