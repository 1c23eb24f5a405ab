"""`doraflow start`: build if needed and launch, here or in the background."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from doraflow.cli.arguments import (
    DEFAULT_JOBS,
    GRACE_SECONDS,
    KEPT_RUNS,
    START_SECONDS,
    File,
    Frozen,
    Grace,
    Inventory,
    Jobs,
    KeepLogs,
    Locked,
    LogFolder,
    Profile,
    ProgressForm,
    ProgressOption,
    Rebuild,
    RunName,
    StartTimeout,
    Strict,
    StrictTypes,
)
from doraflow.cli.launching import Launch, build_bundle, checked_name, run_launcher
from doraflow.cli.outputs import LinesOption, TextOutput, show_json


def start(
    file: File,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Go on in the background once every node has started.")
    ] = False,
    name: RunName = "",
    jobs: Jobs = DEFAULT_JOBS,
    strict: Strict = False,
    rebuild: Rebuild = False,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    locked: Locked = False,
    frozen: Frozen = False,
    log_dir: LogFolder = None,
    keep_logs: KeepLogs = KEPT_RUNS,
    start_timeout: StartTimeout = START_SECONDS,
    grace: Grace = GRACE_SECONDS,
    progress: ProgressOption = ProgressForm.AUTO,
    output: LinesOption = TextOutput.TEXT,
) -> None:
    """Build a dataflow if needed and start it on this machine, under a name of its own.

    With `--detach` the command waits until every node has started, writes the run's name to standard output and ends;
    `doraflow status` and `doraflow stop` reach the run. Its own events are kept in `launcher.events` in the log folder.
    The exit code is 1 if a node failed before that. Without `--detach` it stays, as `doraflow run` does.

    Example: doraflow start dataflow.yml --detach --name night
    """
    from doraflow.cli.locking import lock_use
    from doraflow.pipeline import Options

    use = lock_use(locked=locked, frozen=frozen)
    options = Options(strict, inventory=inventory, profile=profile, strict_types=strict_types, lock=use)
    launch = Launch(file.parent, log_dir, keep_logs, start_timeout, grace, checked_name(name))
    plan, launcher = build_bundle(file, jobs, options, rebuild=rebuild, progress=progress)
    command, nodes = launch.command(launcher), [node.id for node in plan.graph.nodes]
    if detach:
        _go_on_alone([*command, "--detached"], plan.graph.name, nodes, start_timeout, output)
    else:
        raise typer.Exit(run_launcher([*command, "--stop-with-parent"], nodes, output))


def _go_on_alone(command: list[str], dataflow: str, nodes: list[str], start_timeout: float, output: TextOutput) -> None:
    from doraflow.cli.operating import finish
    from doraflow.cli.stream import Stream
    from doraflow.diagnostics import Sink
    from doraflow.operate.starting import start_detached
    from doraflow.printed import objects

    sink = Sink()
    started = start_detached(command, start_timeout, Stream(nodes).show, sink)
    finish(sink)
    if started is None or started.code:
        raise typer.Exit(1 if started is None else started.code)
    typer.echo(f"{started.run}: {len(nodes)} node{'' if len(nodes) == 1 else 's'} started", err=True)
    if output is TextOutput.TEXT:
        typer.echo(started.run)
        return
    told = objects.Started(objects.VERSION, started.run, dataflow, started.process, started.logs, nodes)
    show_json(asdict(told))
