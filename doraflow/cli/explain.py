"""`doraflow explain`: the long page of a diagnostic code, or the list of all codes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from doraflow.cli import completion
from doraflow.cli.outputs import TextOutput, TextOutputOption, show_json


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="Such as `DF204`; all are listed without.",
            show_default=False,
            autocompletion=completion.codes,
        ),
    ] = None,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Explain a diagnostic code: what it means, why it matters, a wrong and a right example.

    Example: doraflow explain DF204
    """
    from doraflow.codes import CODES, code_of, nearest_codes
    from doraflow.explanations.pages import page

    if code is None and output is TextOutput.JSON:
        _show_all()
        return
    if code is None:
        typer.echo("".join(f"{known}  {meaning}\n" for known, meaning in CODES.items()), nl=False)
        return
    known = code_of(code)
    if known is None:
        near = nearest_codes(code)
        choices = f"the nearest are {', '.join(near)}" if near else "`doraflow explain` without a code lists all"
        typer.echo(f"error: there is no code `{code}`; {choices}", err=True)
        raise typer.Exit(2)
    explained = page(known)
    title, text = (explained.title, explained.body) if explained else (f"{known}: {CODES[known]}", "")
    if output is TextOutput.JSON:
        from doraflow.printed.objects import VERSION, Explained

        show_json(asdict(Explained(VERSION, known, title, text)))
    else:
        _show(f"# {title}\n\n{text}" if text else f"# {title}\n")


def _show_all() -> None:
    from doraflow.codes import CODES
    from doraflow.printed.objects import VERSION, KnownCode, KnownCodes

    show_json(asdict(KnownCodes(VERSION, [KnownCode(code, meaning) for code, meaning in CODES.items()])))


def _show(text: str) -> None:
    """Write Markdown, laid out where a person looks at it."""
    from doraflow.cli.report import has_colour

    if not has_colour(sys.stdout):
        typer.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
