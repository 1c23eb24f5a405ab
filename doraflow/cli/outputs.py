"""`--output`: how a command writes what it tells, spelt alike for all commands. `--format` means the same everywhere.

`new node` alone has no `--output` of this kind, as its outputs are those of the node; there it is `--format`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow.operate.tables import Piece


class Output(StrEnum):
    """The forms of what is a table for people."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class TextOutput(StrEnum):
    """The forms of what is a line or a text for people."""

    TEXT = "text"
    JSON = "json"


OutputOption: TypeAlias = Annotated[
    Output,
    typer.Option("--output", "--format", "-o", help="A table for people, JSON or YAML with stable keys for scripts."),
]
TextOutputOption: TypeAlias = Annotated[
    TextOutput,
    typer.Option("--output", "--format", "-o", help="Text for people, or JSON with stable keys for scripts."),
]
LinesOption: TypeAlias = Annotated[
    TextOutput,
    typer.Option("--output", "--format", "-o", help="Text for people, or one JSON object a line, on stdout."),
]


def show(output: Output, table: Sequence[Piece], content: Mapping[str, object]) -> None:
    """Write what a command tells to standard output."""
    match output:
        case Output.TABLE:
            from doraflow.cli.report import write_pieces

            write_pieces(table, sys.stdout)
        case Output.JSON:
            show_json(content)
        case Output.YAML:
            import yaml

            # What cannot be read twice alike, such as a tuple, is a list in JSON as well.
            typer.echo(yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False, allow_unicode=True), nl=False)


def show_json(content: object) -> None:
    """Write one JSON object to standard output, escaping what no encoding can carry: a file name may hold any byte."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    typer.echo(text.encode("utf-8", "backslashreplace").decode())


def tell_written(paths: Sequence[Path], output: TextOutput) -> None:
    """Say which files were written."""
    if output is TextOutput.TEXT:
        for path in paths:
            typer.echo(path)
        return
    from doraflow.printed.objects import VERSION, Written

    show_json(asdict(Written(VERSION, [str(path) for path in paths])))
