"""`doraflow start`: build if needed and launch, here or in the background."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from doraflow.cli.arguments import DEFAULT_JOBS, File, Inventory, Jobs, Profile, Rebuild, Strict, StrictTypes


def start(
    file: File,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Go on in the background once every node has started.")
    ] = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the run is called.", show_default="DATAFLOW-TOKEN")
    ] = "",
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
) -> None:
    """Build a dataflow if needed and start it on this machine, under a name of its own.

    With `--detach` the command waits until every node has started, writes the run's name to standard output and ends;
    `doraflow status` and `doraflow stop` reach the run. Its own events are kept in `launcher.events` in the log folder.
    The exit code is 1 if a node failed before that. Without `--detach` it stays, as `doraflow run` does.

    Example: doraflow start dataflow.yml --detach --name night
    """
    from doraflow_runtime.control.places import NAME_RULE, is_run_name

    from doraflow.cli.run import build_bundle, run_launcher
    from doraflow.pipeline import Options

    if name and not is_run_name(name):
        raise typer.BadParameter(f"`{name}` is no name for a run: {NAME_RULE}", param_hint="--name")
    plan, launcher = build_bundle(
        file, jobs, Options(strict, inventory=inventory, profile=profile, strict_types=strict_types), rebuild=rebuild
    )
    command = [sys.executable, str(launcher), "--sources", str(file.parent.resolve())]
    command += ["--start-timeout", str(start_timeout), "--grace", str(grace)]
    command += ["--log-dir", str(log_dir)] if log_dir else []
    command += ["--name", name] if name else []
    nodes = [node.id for node in plan.graph.nodes]
    if detach:
        _go_on_alone([*command, "--detached"], nodes, start_timeout)
    else:
        raise typer.Exit(run_launcher([*command, "--stop-with-parent"], nodes))


def _go_on_alone(command: list[str], nodes: list[str], start_timeout: float) -> None:
    from doraflow.cli.operating import finish
    from doraflow.cli.stream import Stream
    from doraflow.diagnostics import Sink
    from doraflow.operate.starting import start_detached

    sink = Sink()
    started = start_detached(command, start_timeout, Stream(nodes).show, sink)
    finish(sink)
    if started is None or started.code:
        raise typer.Exit(1 if started is None else started.code)
    typer.echo(f"{started.run}: {len(nodes)} node{'' if len(nodes) == 1 else 's'} started", err=True)
    typer.echo(started.run)
