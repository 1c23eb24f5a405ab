"""`doraflow deploy`: a bundle brought to its hosts over SSH, switched there, started, stopped and taken back."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from doraflow.cli.arguments import (
    DEFAULT_JOBS,
    File,
    Frozen,
    Inventory,
    Jobs,
    Locked,
    Profile,
    ProgressForm,
    ProgressOption,
    Rebuild,
    Strict,
    StrictTypes,
)
from doraflow.cli.keys import Keys
from doraflow.cli.outputs import TextOutput, TextOutputOption, show_json

if TYPE_CHECKING:
    from doraflow.cli.progress import Progress
    from doraflow.deploy.key_parcels import Parcel
    from doraflow.deploy.reports import HostReport, HostStatus
    from doraflow.deploy.shares import Share
    from doraflow.deploy.targets import Target
    from doraflow.ir import Plan
    from doraflow.pipeline import Compilation, Options


def deploy(
    file: File,
    host: Annotated[
        list[str] | None, typer.Option("--host", metavar="NAME", help="Only this host; may be given again.")
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Start it afterwards, in the place of what runs.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Deploy nothing; end what runs.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Deploy nothing; tell what stands and runs where.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Deploy nothing; make the version before current again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; tell what would be sent.")] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=1, metavar="N", help="How many versions are kept beside the current one.")
    ] = 2,
    venv: Annotated[
        bool, typer.Option("--venv", help="Give it a virtual environment there, with its requirements.txt.")
    ] = False,
    python: Annotated[str, typer.Option("--python", metavar="NAME", help="The hosts' Python.")] = "python3",
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long a host may be silent.")
    ] = 20.0,
    step_timeout: Annotated[
        float, typer.Option("--step-timeout", min=1, metavar="SECONDS", help="How long a command there may take.")
    ] = 1800.0,
    run_timeout: Annotated[
        float, typer.Option("--run-timeout", min=1, metavar="SECONDS", help="How long a start or a stop may take.")
    ] = 120.0,
    ssh_config: Annotated[
        Path | None,
        typer.Option(
            "--ssh-config",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="What ssh reads in the place of ~/.ssh/config; /dev/null for nothing.",
        ),
    ] = None,
    sign_key: Annotated[
        Path | None,
        typer.Option("--sign-key", metavar="FILE", help="Sign each host's part with this secret key of minisign."),
    ] = None,
    hand_keys: Annotated[
        bool, typer.Option("--hand-keys", help="Give each host its keys of the links, over the connection.")
    ] = False,
    replace_keys: Annotated[
        bool, typer.Option("--replace-keys", help="With --hand-keys, also in the place of keys not made here.")
    ] = False,
    keys: Keys = None,
    jobs: Jobs = DEFAULT_JOBS,
    strict: Strict = False,
    rebuild: Rebuild = False,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    locked: Locked = False,
    frozen: Frozen = False,
    progress: ProgressOption = ProgressForm.AUTO,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Build a dataflow and bring each host its part over SSH.

    Only what a host has not yet is sent. No host is switched to the new version before all have it whole, and the
    earlier ones are kept. Hosts need sshd and Python, no doraflow; the login must work without a password.

    Example: doraflow deploy dataflow.yml --inventory hosts.yml --start
    """
    from doraflow.cli.locking import lock_use
    from doraflow.cli.progress import progress_as
    from doraflow.deploy import deploying
    from doraflow.deploy.ssh import Way
    from doraflow.deploy.targets import targets_of
    from doraflow.pipeline import Options

    _check_one(stop=stop, status=status, rollback=rollback, dry_run=dry_run)
    _check_one(stop=stop, status=status, rollback=rollback, hand_keys=hand_keys)
    if (replace_keys or keys is not None) and not hand_keys:
        raise typer.BadParameter("--replace-keys and --keys are about keys that --hand-keys hands over")
    use = lock_use(locked=locked, frozen=frozen)
    options = Options(strict, inventory=inventory, profile=profile, strict_types=strict_types, lock=use)
    told = progress_as(progress)
    made, plan = _loaded(file, options, told)
    targets = targets_of(plan, host or (), made.sink)
    _stop_after_errors(made)
    parcels = _parcels(made, plan, targets or (), keys, replaces=replace_keys) if hand_keys else {}
    way = Way(ssh_config, python, timeout)
    wishes = deploying.Wishes(keep, venv, start, step_timeout, run_timeout)
    rows: tuple[HostReport, ...] | tuple[HostStatus, ...]
    deploy = deploying.Deploy(plan.graph.name, targets or (), way, told.stage, made.sink)
    if status:
        rows = deploying.status(deploy)
    elif stop:
        rows = deploying.stop(deploy, wishes)
    elif rollback:
        rows = deploying.roll_back(deploy, wishes)
    else:
        shares = _shares_to_send(made, plan, deploy.targets, told, jobs, sign_key, rebuild=rebuild, dry_run=dry_run)
        if dry_run:
            rows = deploying.dry_run(deploy, shares, parcels)
        else:
            rows = deploying.copy_and_switch(deploy, shares, parcels, wishes)
    _tell(plan.graph.name, rows, output)
    _finish(made)


def _check_one(**chosen: bool) -> None:
    """Refuse what excludes one another."""
    given = [f"--{name.replace('_', '-')}" for name, is_given in chosen.items() if is_given]
    if len(given) > 1:
        raise typer.BadParameter(f"{given[0]} and {given[1]} exclude one another")


def _loaded(file: Path, options: Options, told: Progress) -> tuple[Compilation, Plan]:
    from doraflow.cli.building import load

    made, plan = load(file, options, told)
    _stop_after_errors(made)
    if plan is None:
        raise typer.Exit(1)
    return made, plan


def _parcels(
    made: Compilation, plan: Plan, targets: tuple[Target, ...], keys: Path | None, *, replaces: bool
) -> dict[str, Parcel]:
    """Read the keys that are to be handed over, before anyone is asked."""
    from doraflow_runtime.keys.folder import ring_folder

    from doraflow.deploy.key_parcels import parcels_of

    folder = ring_folder(plan.graph.name, os.environ, keys)
    parcels = parcels_of(plan, targets, folder, made.sink, replaces=replaces)
    _stop_after_errors(made)
    return parcels


def _shares_to_send(
    made: Compilation,
    plan: Plan,
    targets: tuple[Target, ...],
    told: Progress,
    jobs: int,
    sign_key: Path | None,
    *,
    rebuild: bool,
    dry_run: bool,
) -> dict[str, Share]:
    """Build the bundle and divide it among the hosts; build steps are not run for a dry run."""
    from doraflow.cli.building import run_build_steps
    from doraflow.cli.locking import keep_lock
    from doraflow.deploy.shares import steps_here

    if not dry_run:
        run_build_steps(made, jobs, told, rebuild=rebuild, chosen=steps_here(plan))
        _stop_after_errors(made)
        keep_lock(made, told)
    shares = _shares(made, plan, targets)
    return shares if sign_key is None else _signed(shares, sign_key, made)


def _shares(made: Compilation, plan: Plan, targets: tuple[Target, ...]) -> dict[str, Share]:
    from doraflow.deploy.shares import share_of, version_of
    from doraflow.pipeline import generate

    files = generate(made)
    _stop_after_errors(made)
    if files is None:
        raise typer.Exit(1)
    try:
        version = version_of(files, plan, made.folder)
        return {target.host: share_of(files, plan, target.host, made.folder, version) for target in targets}
    except OSError as error:
        made.sink.error(
            "DF601",
            f"`{error.filename}` cannot be read: {(error.strerror or str(error)).lower()}",
            help="make the file readable",
        )
        _finish(made)


def _signed(shares: dict[str, Share], path: Path, made: Compilation) -> dict[str, Share]:
    """Sign the manifest of every host's part, whose files are not those of the whole bundle."""
    from doraflow.deploy.shares import signed
    from doraflow.signing.bundle import read_signing_key

    built = [step.owner for share in shares.values() for step in share.steps]
    if built:
        message = f"what is built on a host is in no signature: `{built[0]}` has `distribute: local`"
        raise typer.BadParameter(message, param_hint="--sign-key")
    key = read_signing_key(path, lambda: str(typer.prompt("password", hide_input=True, err=True)), made.sink)
    if key is None:
        _finish(made)
    return {host: signed(share, key) for host, share in shares.items()}


def _tell(dataflow: str, rows: tuple[HostReport, ...] | tuple[HostStatus, ...], output: TextOutput) -> None:
    from doraflow.deploy.reports import SCHEMA_VERSION, DeployReport, DeployStatus, HostStatus, lines_of

    standing = tuple(row for row in rows if isinstance(row, HostStatus))
    done = tuple(row for row in rows if not isinstance(row, HostStatus))
    report = (
        DeployStatus(SCHEMA_VERSION, dataflow, standing) if standing else DeployReport(SCHEMA_VERSION, dataflow, done)
    )
    if output is TextOutput.JSON:
        show_json(asdict(report))
        return
    for line in lines_of(report):
        typer.echo(line)


def _stop_after_errors(made: Compilation) -> None:
    if made.sink.has_errors:
        _finish(made)


def _finish(made: Compilation) -> NoReturn:
    from doraflow.cli.report import exit_code, show_findings

    show_findings(made)
    raise typer.Exit(exit_code(made))
