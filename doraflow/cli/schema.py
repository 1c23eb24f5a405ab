"""`doraflow schema`: the language as JSON Schema, for editors and other tools."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from doraflow.cli import completion


class Kind(StrEnum):
    """The kinds of files that have a schema; spelt here so that `--help` need not load the models."""

    DATAFLOW = "dataflow"
    MODULE = "module"
    INVENTORY = "inventory"


def schema(
    kind: Annotated[Kind, typer.Option("--kind", help="The kind of file.")] = Kind.DATAFLOW,
    output_of: Annotated[
        str | None,
        typer.Option(
            "--output-of",
            metavar="COMMAND",
            help="A command instead, for what it prints with `--output json`.",
            show_default=False,
            autocompletion=completion.printing_commands,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema (2020-12) of a dataflow, a module or an inventory file, or of what a command prints.

    Example: doraflow schema --output-of status
    """
    if output_of is not None:
        _show_output(output_of)
        return
    from doraflow.editor import schema as language

    sys.stdout.write(language.schema_text(language.Kind(kind)))


def _show_output(command: str) -> None:
    from doraflow.cli.report import fail
    from doraflow.parser.suggest import choices_text
    from doraflow.printed.schemas import COMMANDS, schema_text

    if command not in COMMANDS:
        choices = choices_text(command, COMMANDS, most=len(COMMANDS))
        fail(f"`{command}` prints no JSON", f"write one of {choices}", code=2)
    sys.stdout.write(schema_text(command))
