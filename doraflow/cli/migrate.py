"""`doraflow migrate`: an old dataflow file rewritten in the modern dialect, to standard output or in its place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from doraflow.cli.arguments import File


def migrate(
    file: File,
    in_place: Annotated[bool, typer.Option("--in-place", "-i", help="Rewrite the file itself.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the file is old.")] = False,
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
    if check:
        raise typer.Exit(1 if found.constructs else 0)
    if not in_place:
        typer.echo(found.text, nl=False)
    elif found.constructs:
        _replace(file, found.text)
    else:
        typer.echo(f"{file}: nothing is old", err=True)


def _replace(file: Path, text: str) -> None:
    from doraflow.build.fresh import replace_text

    try:
        replace_text(file, text)
    except OSError as error:
        typer.echo(f"`{file}` cannot be written: {(error.strerror or str(error)).lower()}", err=True)
        raise typer.Exit(1) from None
