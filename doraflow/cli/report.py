"""Findings on the screen: coloured on a terminal, plain elsewhere, and the exit code that they mean."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from doraflow.cli.arguments import Form
from doraflow.cli.loudness import Loudness, loudness
from doraflow.diagnostics import Severity
from doraflow.render.text import text_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from doraflow.diagnostics import Diagnostic
    from doraflow.pipeline import Compilation
    from doraflow.policy.apply import Ignored
    from doraflow.render.text import Piece


def show_findings(made: Compilation) -> None:
    """Write all findings of a compilation to standard error."""
    write_findings(made.diagnostics(), made.all_texts())


def write_findings(found: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
    """Write findings to standard error, a quiet command only errors."""
    if loudness() is Loudness.QUIET:
        found = [finding for finding in found if finding.severity is Severity.ERROR]
    write_pieces(text_pieces(found, texts), sys.stderr)


def fail(message: str, hint: str, *, code: int = 1) -> NoReturn:
    """Tell on standard error why a command does nothing and what to do, and exit."""
    import typer

    write_pieces(
        [("error", "bold red"), (f": {message}\n\n", "bold"), ("hint", "bold green"), (f": {hint}\n", "")], sys.stderr
    )
    raise typer.Exit(code)


def tell_findings(made: Compilation, form: Form) -> None:
    """Write all findings of a compilation: as text to standard error, for tools to standard output."""
    tell(Told(made.diagnostics(), made.all_texts(), made.ignored), form)


@dataclass(frozen=True, slots=True)
class Told:
    """Findings, the texts that they stand in by path, and those that comments ignore."""

    found: Sequence[Diagnostic]
    texts: Mapping[str, str]
    ignored: Sequence[Ignored]


def tell(told: Told, form: Form) -> None:
    """Write findings, of one dataflow or of several."""
    match form:
        case Form.TEXT:
            write_findings(told.found, told.texts)
        case Form.JSON:
            from doraflow.render.objects import render_json

            _print(f"{render_json(told.found)}\n")
        case Form.SARIF:
            from doraflow.render.sarif import render_sarif

            _print(f"{render_sarif(told.found, told.ignored, folder=Path.cwd())}\n")
        case Form.GITHUB:
            from doraflow.render.github import render_github

            _print(render_github(told.found))


def _print(text: str) -> None:
    """Write to standard output what its encoding can carry, and escape the rest: a file name may hold any byte."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def write_pieces(pieces: Iterable[Piece], stream: TextIO) -> None:
    """Write styled text, with colour where a person looks at it."""
    if not has_colour(stream):
        stream.write("".join(text for text, _ in pieces))
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=stream, soft_wrap=True, highlight=False).print(Text.assemble(*pieces), end="")


def has_colour(stream: TextIO) -> bool:
    """Tell whether to colour: on a terminal, unless NO_COLOR is set or the terminal is `dumb`."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def exit_code(made: Compilation) -> int:
    """Give 1 if there is an error among the findings, else 0."""
    return 1 if made.sink.has_errors else 0
