"""`doraflow build`: build steps, then the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import (
    DEFAULT_JOBS,
    File,
    Form,
    Format,
    Inventory,
    Jobs,
    NoCache,
    Profile,
    Rebuild,
    Strict,
    StrictTypes,
)

if TYPE_CHECKING:
    from doraflow.cli.standing import StandingSteps
    from doraflow.codegen.fileset import FileSet
    from doraflow.diagnostics import Sink
    from doraflow.ir import BuildStep
    from doraflow.pipeline import Compilation


def build(
    context: typer.Context,
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
    strict_types: StrictTypes = False,
    form: Format = Form.TEXT,
    no_cache: NoCache = False,
) -> None:
    """Build a bundle: a launcher per machine, wiring tables, typed stubs, and all that they need.

    The nodes' `build:` commands run first, only those whose command, sources or environment changed. The same input
    gives the same bytes, so a bundle can be committed and `--check`ed in CI.

    Example: doraflow build dataflow.yml -o bundle
    """
    from doraflow.cli.overheard import overheard
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.cli.standing import keep_build
    from doraflow.disk import recorded
    from doraflow.pipeline import Options, generate, plan
    from doraflow.pipeline import check as check_file

    with recorded() as record:
        made = check_file(file, Options(strict, inventory=inventory, profile=profile, strict_types=strict_types))
        planned = plan(made)
        steps = None
        if planned is not None and not check and not no_build_steps:
            steps = run_build_steps(made, jobs, rebuild=rebuild)
        files = generate(made)
    folder = out or Path(f"{planned.graph.name}_bundle" if planned is not None else "")
    if files is not None:
        (_compare if check else _write)(files, folder, made.sink, form)
    with overheard() as said:
        tell_findings(made, form)
    if context.obj is not None and not no_cache and files is not None and not made.sink.has_errors:
        keep_build(context.obj, record, said, files, folder, steps, writes=not check)
    raise typer.Exit(exit_code(made))


def _compare(files: FileSet, folder: Path, sink: Sink, form: Form) -> None:
    from doraflow.build.compare import compare

    for line in compare(files, folder, sink):
        typer.echo(line, err=form is not Form.TEXT)


def _write(files: FileSet, folder: Path, sink: Sink, _form: Form) -> None:
    from doraflow.build.writer import write

    report = write(files, folder, sink)
    if report is not None:
        changes = f"{len(report.written)} files written, {len(report.unchanged)} unchanged"
        typer.echo(f"{folder}: {changes}, {len(report.removed)} removed", err=True)


def run_build_steps(made: Compilation, jobs: int, *, rebuild: bool) -> StandingSteps:
    """Run the build steps of a compilation, telling of each; give what decided them."""
    from doraflow.build.steps import run_steps
    from doraflow.cli.cache import cache_folder
    from doraflow.cli.progress import Progress
    from doraflow.cli.standing import StandingSteps

    steps = made.steps()
    standing = StandingSteps(made.folder, cache_folder(made.source) / "build", steps)

    def decided(step: BuildStep, digest: str | None) -> None:
        standing.digests[step.owner] = digest

    notice = Progress().notice
    state = standing.state
    run_steps(steps, made.folder, state, jobs, made.sink, notice=notice, decided=decided, rebuild=rebuild)
    return standing
