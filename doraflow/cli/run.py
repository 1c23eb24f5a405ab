"""`doraflow run`: build into the cache, launch, and show what the nodes say until they end."""

from __future__ import annotations

import signal
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import (
    DEFAULT_JOBS,
    File,
    Inventory,
    Jobs,
    Profile,
    ProgressForm,
    ProgressOption,
    Rebuild,
    Strict,
    StrictTypes,
)

if TYPE_CHECKING:
    from doraflow.ir import Plan
    from doraflow.pipeline import Options


class RunForm(StrEnum):
    """How what the nodes say is written."""

    TEXT = "text"
    JSON = "json"


def run(
    file: File,
    jobs: Jobs = DEFAULT_JOBS,
    strict: Strict = False,
    rebuild: Rebuild = False,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    log_dir: Annotated[
        Path | None, typer.Option("--log-dir", metavar="DIR", help="Where the nodes' logs go.", show_default=False)
    ] = None,
    start_timeout: Annotated[
        float, typer.Option("--start-timeout", metavar="SECONDS", help="How long to wait for all nodes to be ready.")
    ] = 120.0,
    grace: Annotated[
        float, typer.Option("--grace", metavar="SECONDS", help="How long nodes have to end after a stop.")
    ] = 5.0,
    progress: ProgressOption = ProgressForm.AUTO,
    form: Annotated[
        RunForm, typer.Option("--format", help="Text for people, or one JSON object a line, on stdout.")
    ] = RunForm.TEXT,
) -> None:
    """Build a dataflow and run it on this machine, with the nodes' sources where they are.

    Ctrl-C stops all nodes cleanly; a second one ends them at once. The exit code is 1 if a node failed.

    Example: doraflow run examples/vision/dataflow.yml
    """
    from doraflow.pipeline import Options

    options = Options(strict, inventory=inventory, profile=profile, strict_types=strict_types)
    plan, launcher = build_bundle(file, jobs, options, rebuild=rebuild, progress=progress)
    arguments = ["--stop-with-parent", "--sources", str(file.parent.resolve())]
    arguments += ["--start-timeout", str(start_timeout), "--grace", str(grace)]
    arguments += ["--log-dir", str(log_dir)] if log_dir else []
    nodes = [node.id for node in plan.graph.nodes]
    raise typer.Exit(run_launcher([sys.executable, str(launcher), *arguments], nodes, form))


def build_bundle(
    file: Path, jobs: int, options: Options, *, rebuild: bool, progress: ProgressForm = ProgressForm.AUTO
) -> tuple[Plan, Path]:
    """Build into the cache folder; give the plan and the launcher. Exits after findings."""
    from doraflow.build.writer import write
    from doraflow.cli.building import load, run_build_steps
    from doraflow.cli.cache import cache_folder
    from doraflow.cli.progress import progress_as
    from doraflow.cli.report import show_findings
    from doraflow.ir import DEFAULT_HOST
    from doraflow.pipeline import generate

    told = progress_as(progress)
    made, planned = load(file, options, told)
    if planned is not None:
        run_build_steps(made, jobs, told, rebuild=rebuild)
    folder = cache_folder(file) / "bundle"
    files = None
    if planned is not None and not made.sink.has_errors:
        with told.stage("generating", "the bundle") as generating:
            files = generate(made)
            if files is not None:
                write(files, folder, made.sink, elsewhere="choose another cache folder with `XDG_CACHE_HOME`")
            generating.failed = made.sink.has_errors
    show_findings(made)
    if files is None or planned is None or made.sink.has_errors:
        raise typer.Exit(1)
    host = planned.hosts[0].host if planned.hosts else DEFAULT_HOST
    return planned, folder / f"launch_{host}.py"


def run_launcher(command: list[str], nodes: list[str], form: RunForm = RunForm.TEXT) -> int:
    """Run the launcher to its end. A terminal's Ctrl-C reaches it by itself; a SIGTERM is handed on."""
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.report import has_colour

    # A launcher by itself tells all that happens, so a quiet command shows its lines in its stead too.
    is_shown = form is RunForm.TEXT and (has_colour(sys.stdout) or loudness() is Loudness.QUIET)
    style = ["--output", "json"] if is_shown or form is RunForm.JSON else []
    # A handler, unlike SIG_IGN, is not inherited: the launcher hears Ctrl-C, and this process waits for its end.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        process = subprocess.Popen([*command, *style], stdout=subprocess.PIPE if is_shown else None)
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
        if process.stdout is not None:
            from doraflow.cli.stream import Stream

            Stream(nodes).show_all(line.decode("utf-8", "replace") for line in process.stdout)
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
