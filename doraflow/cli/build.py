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
    Frozen,
    Inventory,
    Jobs,
    Locked,
    NoCache,
    Profile,
    ProgressForm,
    ProgressOption,
    Rebuild,
    Strict,
    StrictTypes,
    Targets,
)

if TYPE_CHECKING:
    from doraflow.cli.progress import Progress
    from doraflow.codegen.fileset import FileSet
    from doraflow.diagnostics import Sink


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
    target: Targets = None,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    locked: Locked = False,
    frozen: Frozen = False,
    form: Format = Form.TEXT,
    no_cache: NoCache = False,
    progress: ProgressOption = ProgressForm.AUTO,
) -> None:
    """Build a bundle: a launcher per machine, wiring tables, typed stubs, and all that they need.

    The nodes' `build:` commands run first, only those whose command, sources or environment changed. The same input
    gives the same bytes, so a bundle can be committed and `--check`ed in CI. Where machines are chosen for nodes, the
    choice is kept in the lock file beside the dataflow.

    Example: doraflow build dataflow.yml -o bundle
    """
    from doraflow.cli.building import load, run_build_steps
    from doraflow.cli.locking import check_lock, keep_lock, lock_use
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.overheard import overheard
    from doraflow.cli.progress import progress_as
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.cli.standing import keep_build
    from doraflow.disk import recorded
    from doraflow.pipeline import Options, generate
    from doraflow.target_registry import find_targets

    told = progress_as(progress)
    use = lock_use(locked=locked or (check and not frozen), frozen=frozen)
    with recorded() as record:
        options = Options(strict, inventory=inventory, profile=profile, strict_types=strict_types, lock=use)
        made, planned = load(file, options, told)
        engines = find_targets(target or (), made.sink)
        steps = None
        if made.sink.has_errors:
            planned = None
        if planned is not None and not check and not no_build_steps:
            steps = run_build_steps(made, jobs, told, rebuild=rebuild)
        files = generate(made, engines)
    has_new_lock = False
    folder = out or Path(f"{planned.graph.name}_bundle" if planned is not None else "")
    if files is not None and check:
        _compare(files, folder, made.sink, form)
        if not frozen:
            check_lock(made)
    elif files is not None:
        _write(files, folder, made.sink, told)
        has_new_lock = keep_lock(made, told)
    with overheard() as said:
        tell_findings(made, form)
    is_usual = progress is ProgressForm.AUTO and loudness() is Loudness.NORMAL and not no_cache
    is_usual = is_usual and not has_new_lock  # what was asked of the disk is answered in another way now
    is_usual = is_usual and all(engine.is_own for engine in engines)  # what others make is not in the key of a result
    if context.obj is not None and is_usual and files is not None and not made.sink.has_errors:
        keep_build(context.obj, record, said, files, folder, steps, writes=not check)
    raise typer.Exit(exit_code(made))


def _compare(files: FileSet, folder: Path, sink: Sink, form: Form) -> None:
    from doraflow.build.compare import compare

    for line in compare(files, folder, sink):
        typer.echo(line, err=form is not Form.TEXT)


def _write(files: FileSet, folder: Path, sink: Sink, progress: Progress) -> None:
    from doraflow.build.writer import write
    from doraflow.cli.building import tell_written

    with progress.stage("generating", str(folder)) as generating:
        report = write(files, folder, sink)
        generating.failed = report is None
        if report is not None:
            generating.detail = tell_written(report, folder, progress)
