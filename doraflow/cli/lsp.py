"""`doraflow lsp`: the language server, for editors."""

from __future__ import annotations

import typer


def lsp() -> None:
    """Serve an editor over standard input and output: findings as you type, completion, hover, rename and more.

    An editor starts this command itself; see docs/editors.md.

    Example: doraflow lsp
    """
    try:
        from doraflow.editor.server import serve
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        typer.echo(
            f"error: the language server needs `{missing.name}`: install it with `pip install 'pygls>=2.0'`",
            err=True,
        )
        raise typer.Exit(1) from None
    serve()
