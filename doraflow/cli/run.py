"""`doraflow run`: build into the cache, launch, and show what the nodes say until they end."""

from __future__ import annotations

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
from doraflow.cli.outputs import LinesOption, TextOutput


def run(
    file: File,
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
    """Build a dataflow and run it on this machine, with the nodes' sources where they are.

    Ctrl-C stops all nodes cleanly; a second one ends them at once. The exit code is 1 if a node failed.

    Example: doraflow run examples/vision/dataflow.yml
    """
    from doraflow.cli.locking import lock_use
    from doraflow.pipeline import Options

    use = lock_use(locked=locked, frozen=frozen)
    options = Options(strict, inventory=inventory, profile=profile, strict_types=strict_types, lock=use)
    launch = Launch(file.parent, log_dir, keep_logs, start_timeout, grace, checked_name(name))
    plan, launcher = build_bundle(file, jobs, options, rebuild=rebuild, progress=progress)
    nodes = [node.id for node in plan.graph.nodes]
    raise typer.Exit(run_launcher([*launch.command(launcher), "--stop-with-parent"], nodes, output))
