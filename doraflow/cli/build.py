"""`doraflow build`: build steps, then the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import DEFAULT_JOBS, File, Form, Format, Inventory, Jobs, Profile, Rebuild, Strict

if TYPE_CHECKING:
    from doraflow.pipeline import Compilation


def build(
    file: File,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="The bundle's folder.", show_default="NAME_bundle"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 and print a diff if the bundle is out of date.")
    ] = False,
    jobs: Jobs = DEFAULT_JOBS,
    strict: Strict = False,
    rebuild: Rebuild = False,
    no_build_steps: Annotated[
        bool, typer.Option("--no-build-steps", help="Write the bundle without running the nodes' `build:` commands.")
    ] = False,
    inventory: Inventory = None,
    profile: Profile = None,
    form: Format = Form.TEXT,
) -> None:
    """Build a bundle: a launcher per machine, wiring tables, typed stubs, and all that they need.

    The nodes' `build:` commands run first, only those whose command, sources or environment changed. The same input
    gives the same bytes, so a bundle can be committed and `--check`ed in CI.

    Example: doraflow build dataflow.yml -o bundle
    """
    from doraflow.build.compare import compare
    from doraflow.build.writer import write
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.pipeline import Options, generate, plan
    from doraflow.pipeline import check as check_file

    made = check_file(file, Options(strict, inventory=inventory, profile=profile))
    planned = plan(made)
    if planned is not None and not check and not no_build_steps:
        run_build_steps(made, jobs, rebuild=rebuild)
    files = generate(made)
    if files is not None and planned is not None:
        folder = out or Path(f"{planned.graph.name}_bundle")
        if check:
            for line in compare(files, folder, made.sink):
                typer.echo(line, err=form is not Form.TEXT)
        elif (report := write(files, folder, made.sink)) is not None:
            changes = f"{len(report.written)} files written, {len(report.unchanged)} unchanged"
            typer.echo(f"{folder}: {changes}, {len(report.removed)} removed", err=True)
    tell_findings(made, form)
    raise typer.Exit(exit_code(made))


def run_build_steps(made: Compilation, jobs: int, *, rebuild: bool) -> bool:
    """Run the build steps of a compilation, telling of each; False after findings."""
    from doraflow.build.steps import run_steps
    from doraflow.cli.cache import cache_folder
    from doraflow.cli.progress import Progress

    state = cache_folder(made.source) / "build"
    return run_steps(made.steps(), made.folder, state, jobs, made.sink, notice=Progress().notice, rebuild=rebuild)
