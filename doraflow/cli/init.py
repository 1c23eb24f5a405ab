"""`doraflow init`: a new project, from a wizard's answers, a preset, or a dataflow that is there already."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli import completion
from doraflow.cli.outputs import TextOutput, TextOutputOption, tell_written

if TYPE_CHECKING:
    from doraflow.codegen.fileset import FileSet


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project's folder; it is made if it is not there.")
    ] = Path(),
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The dataflow's name.", show_default="that of the folder"),
    ] = None,
    begin_with: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PRESET|FILE",
            help="`hello`, `pipeline`, `robot`, or a dataflow.",
            show_default=False,
            autocompletion=completion.presets,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Begin a project: a dataflow that checks clean, a script for each node, a README.

    In a terminal it asks for what is not given. No file is ever overwritten, and either all files are written or none.

    Example: doraflow init robot --from robot --yes
    """
    from doraflow.cli.report import fail, show_findings
    from doraflow.scaffold.presets import PRESETS
    from doraflow.scaffold.project import DATAFLOW, name_of, project_of

    if name is not None and begin_with is not None and begin_with not in PRESETS:
        fail(f"`{begin_with}` gives the name itself", "leave `--name` out", code=2)
    _check_free(folder)
    proposed = name or name_of(folder.absolute())
    text = _text(proposed, begin_with, asks=not yes)
    project = project_of(text, folder)
    show_findings(project.made)
    if project.files is None:
        fail("nothing was written: a project begins without findings", "mend what is told above, and run it again")
    if not yes and sys.stdin.isatty() and not _agreed(project.files, folder, text):
        fail("nothing was written", "answer `y`, or give `--yes`")
    _write(project.files, folder)
    tell_written([folder / path for path in project.files.paths()], output)
    typer.echo(f"to run it: doraflow run {folder / DATAFLOW}", err=True)


def _check_free(folder: Path) -> None:
    """Refuse a folder that no project can begin in, before anything is asked."""
    from doraflow.cli.report import fail
    from doraflow.scaffold.project import DATAFLOW

    if folder.exists() and not folder.is_dir():
        fail(f"nothing was written: `{folder}` is a file", "name a new folder")
    flow = folder / DATAFLOW
    if flow.exists():
        add = f"`doraflow new node NAME --in {flow}` adds a node to it"
        fail(f"nothing was written: `{flow}` would have to be overwritten", f"name a new folder; {add}")


def _text(name: str, begin_with: str | None, *, asks: bool) -> str:
    """Get the dataflow's text: from a file, from a preset, or from the answers of the user."""
    from doraflow.cli.report import fail
    from doraflow.parser.suggest import choices_text
    from doraflow.scaffold.presets import DEFAULT_PRESET, PRESETS, preset_text
    from doraflow.scaffold.reading import AnswerError, read_name

    if begin_with is not None and begin_with not in PRESETS:
        if not Path(begin_with).is_file():
            choices = choices_text(begin_with, tuple(PRESETS))
            fail(f"`{begin_with}` is neither a preset nor a file", f"write one of {choices}, or a file's path", code=2)
        try:
            return Path(begin_with).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"`{begin_with}` cannot be read: {error}", "name another dataflow")
    if asks and sys.stdin.isatty():
        return _asked(name, begin_with)
    if begin_with is None and asks:
        fail("there is no terminal to ask in", "give `--yes`, or say what to begin with: `--from hello`", code=2)
    try:
        return preset_text(begin_with or DEFAULT_PRESET, read_name(name))
    except AnswerError as error:
        fail(str(error), "give the name with `--name`", code=2)


def _asked(name: str, preset: str | None) -> str:
    from rich.console import Console

    from doraflow.cli.report import fail
    from doraflow.cli.wizard import ask_dataflow

    try:
        return ask_dataflow(Console(stderr=True, highlight=False), name, preset)
    except KeyboardInterrupt:
        typer.echo("\nnothing was written", err=True)
        raise typer.Exit(130) from None
    except EOFError:
        typer.echo(err=True)
        fail("nothing was written: the input has ended", "answer all questions, or give `--yes`")


def _agreed(files: FileSet, folder: Path, text: str) -> bool:
    from rich.console import Console

    from doraflow.cli.wizard import confirm

    console = Console(stderr=True, highlight=False)
    console.print()
    console.print(text, style="cyan", markup=False)
    console.print("  ".join(files.paths()), style="dim", markup=False, soft_wrap=True)
    try:
        return confirm(console, f"Write these {len(files.files)} files to {folder}?")
    except (EOFError, KeyboardInterrupt):
        console.print()
        return False


def _write(files: FileSet, folder: Path) -> None:
    from doraflow.build.fresh import InTheWayError, write_fresh
    from doraflow.cli.report import fail

    try:
        write_fresh(files, folder)
    except InTheWayError as error:
        there = ", ".join(f"`{path}`" for path in error.paths)
        fail(f"nothing was written: {there} would have to be overwritten", "name a new folder, or move what is there")
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        fail(f"nothing was written: `{error.filename or folder}`: {cause}", "name a folder that you may write to")
