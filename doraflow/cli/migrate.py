"""`doraflow migrate`: an old dataflow file rewritten in the modern dialect, to standard output or in its place."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import File
from doraflow.cli.outputs import TextOutput, TextOutputOption, show_json

if TYPE_CHECKING:
    from doraflow.migrate.migration import Migration


def migrate(
    file: File,
    in_place: Annotated[bool, typer.Option("--in-place", "-i", help="Rewrite the file itself.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the file is old.")] = False,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Rewrite a dataflow or module file of an older dialect in the modern one.

    Comments, order and quotes are kept. The text goes to standard output, or with --in-place into the file.

    Example: doraflow migrate --in-place dataflow.yml
    """
    from doraflow.cli.report import write_pieces
    from doraflow.diagnostics import Sink
    from doraflow.migrate.migration import migrate as migrated
    from doraflow.parser.text import read
    from doraflow.render import text_pieces

    sink = Sink()
    text = read(file, file.as_posix(), sink)
    found = migrated(text, file.as_posix(), sink) if text is not None else None
    if text is None or found is None:
        write_pieces(text_pieces(sink.diagnostics(), {file.as_posix(): text or ""}), sys.stderr)
        typer.echo(f"{file}: nothing is written", err=True)
        raise typer.Exit(1)
    for message, count in found.constructs:
        typer.echo(f"{message} ({count} place{'' if count == 1 else 's'})", err=True)
    if in_place and not check and found.constructs:
        _replace(file, found.text)
    if output is TextOutput.JSON:
        _show(file, found, is_written=in_place and not check and bool(found.constructs))
    if check:
        raise typer.Exit(1 if found.constructs else 0)
    if not in_place and output is TextOutput.TEXT:
        typer.echo(found.text, nl=False)
    elif in_place and not found.constructs:
        typer.echo(f"{file}: nothing is old", err=True)


def _show(file: Path, found: Migration, *, is_written: bool) -> None:
    from doraflow.printed.objects import VERSION, Migrated, OldConstruct

    constructs = [OldConstruct(message, count) for message, count in found.constructs]
    show_json(asdict(Migrated(VERSION, str(file), constructs, found.text, is_written)))


def _replace(file: Path, text: str) -> None:
    from doraflow.build.fresh import replace_text

    try:
        replace_text(file, text)
    except OSError as error:
        typer.echo(f"`{file}` cannot be written: {(error.strerror or str(error)).lower()}", err=True)
        raise typer.Exit(1) from None
