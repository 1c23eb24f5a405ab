"""The stages of `doraflow build` and `doraflow run` with their progress: load, run the build steps, write.

What a stage does stands in `doraflow.pipeline` and `doraflow.build`; here it is only told.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from doraflow.cli.loudness import Loudness, loudness

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.build.writer import WriteReport
    from doraflow.cli.progress import Progress
    from doraflow.cli.standing import StandingSteps
    from doraflow.ir import BuildStep, Plan
    from doraflow.pipeline import Compilation, Options


def load(file: Path, options: Options, progress: Progress) -> tuple[Compilation, Plan | None]:
    """Read, check and plan a dataflow."""
    from doraflow.pipeline import check, plan

    with progress.stage("loading", str(file)) as loading:
        made = check(file, options)
        planned = plan(made)
        loading.failed = planned is None
        if planned is not None:
            loading.detail = f": {counted(len(planned.graph.nodes), 'node')}"
    return made, planned


def checked(file: Path, options: Options, progress: Progress) -> Compilation:
    """Read and check a dataflow."""
    from doraflow.pipeline import check

    with progress.stage("loading", str(file)) as loading:
        made = check(file, options)
        loading.failed = made.sink.has_errors
    return made


def run_build_steps(
    made: Compilation, jobs: int, progress: Progress, *, rebuild: bool, chosen: tuple[BuildStep, ...] | None = None
) -> StandingSteps:
    """Run the build steps of a compilation, or those `chosen`, telling of each; give what decided them."""
    from doraflow.build.steps import log_file, run_steps
    from doraflow.cli.cache import cache_folder
    from doraflow.cli.standing import StandingSteps

    steps = made.steps() if chosen is None else chosen
    standing = StandingSteps(made.folder, cache_folder(made.source) / "build", steps)
    state, stream = standing.state, sys.stderr  # doit puts another stream in its place while a step runs
    is_verbose = loudness() is Loudness.VERBOSE  # chosen for this thread, and steps run in others

    def decided(step: BuildStep, digest: str | None) -> None:
        standing.digests[step.owner] = digest

    def notice(step: BuildStep, event: str) -> None:
        progress.notice(step, event)
        if event in ("done", "failed") and is_verbose:
            for line in log_file(state, step).read_text(errors="replace").splitlines():
                typer.echo(f"{step.owner} | {line}", file=stream)

    with progress.steps():
        run_steps(steps, made.folder, state, jobs, made.sink, notice=notice, decided=decided, rebuild=rebuild)
    return standing


def tell_written(report: WriteReport, folder: Path, progress: Progress) -> str:
    """Say what a write did, in a line of its own if the stage has none; give the words for the stage's."""
    changes = f": {len(report.written)} files written, {len(report.unchanged)} unchanged, {len(report.removed)} removed"
    if not progress.tells_stages:
        typer.echo(f"{folder}{changes}", err=True)
    return changes


def counted(count: int, what: str) -> str:
    """Write a number of things.

    >>> counted(1, "node"), counted(2, "node")
    ('1 node', '2 nodes')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"
