"""`doraflow schema`: the language as JSON Schema, for editors and other tools."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """The kinds of files that have a schema; spelt here so that `--help` need not load the models."""

    DATAFLOW = "dataflow"
    MODULE = "module"
    INVENTORY = "inventory"


def schema(
    kind: Annotated[Kind, typer.Option("--kind", help="The kind of file.")] = Kind.DATAFLOW,
) -> None:
    """Print the JSON Schema (2020-12) of a dataflow, a module or an inventory file.

    Example: doraflow schema > dataflow.schema.json
    """
    from doraflow.editor import schema as language

    sys.stdout.write(language.schema_text(language.Kind(kind)))
