"""`doraflow check`: all findings of a dataflow, without running or writing anything."""

from __future__ import annotations

from typing import Annotated

import typer

from doraflow.cli.arguments import File, Form, Format, Inventory, Profile, Strict


def check(
    file: File,
    form: Format = Form.TEXT,
    strict: Strict = False,
    no_sources: Annotated[
        bool, typer.Option("--no-sources", help="Check the dataflow alone, not whether the files it names exist.")
    ] = False,
    inventory: Inventory = None,
    profile: Profile = None,
) -> None:
    """Check a dataflow: names, types, loops, placement, sources.

    Every finding of the run is told at its line and column. Exit code 0 without errors, 1 with.

    Example: doraflow check dataflow.yml --format json
    """
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.pipeline import Options
    from doraflow.pipeline import check as check_file

    made = check_file(file, Options(strict, not no_sources, inventory, profile))
    tell_findings(made, form)
    if form is Form.TEXT and not made.diagnostics() and made.graph is not None:
        count = len(made.graph.nodes)
        typer.echo(f"{file}: {count} node{'' if count == 1 else 's'}, no findings", err=True)
    raise typer.Exit(exit_code(made))
