"""`doraflow check`: all findings of a dataflow, without running or writing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import File, Form, Format, Inventory, NoCache, Profile, ProgressForm, Strict, StrictTypes

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.pipeline import Options


def check(
    context: typer.Context,
    file: File,
    form: Format = Form.TEXT,
    strict: Strict = False,
    no_sources: Annotated[
        bool, typer.Option("--no-sources", help="Check the dataflow alone, not whether the files it names exist.")
    ] = False,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    no_cache: NoCache = False,
) -> None:
    """Check a dataflow: names, types, loops, placement, sources.

    Every finding of the run is told at its line and column. Exit code 0 without errors, 1 with. Where nothing has
    changed since the last check, its result is told again.

    Example: doraflow check dataflow.yml --output json
    """
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.remembered import kept
    from doraflow.pipeline import Options

    def run() -> int:
        return _check(file, form, Options(strict, not no_sources, inventory, profile, strict_types))

    is_kept = not no_cache and loudness() is Loudness.NORMAL
    raise typer.Exit(kept(context.obj if is_kept else None, run))


def _check(file: Path, form: Form, options: Options) -> int:
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.pipeline import check as check_file

    if loudness() is Loudness.VERBOSE:
        from doraflow.cli.building import checked
        from doraflow.cli.progress import progress_as

        made = checked(file, options, progress_as(ProgressForm.PLAIN))
    else:
        made = check_file(file, options)
    tell_findings(made, form)
    is_told = form is Form.TEXT and loudness() is not Loudness.QUIET
    if is_told and not made.diagnostics() and made.graph is not None:
        count = len(made.graph.nodes)
        typer.echo(f"{file}: {count} node{'' if count == 1 else 's'}, no findings", err=True)
    return exit_code(made)
