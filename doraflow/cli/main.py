"""The command line: commands are registered here, each in a module of its own.

Only typer is imported at the start; a command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import copy
import errno
import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from doraflow import __version__
from doraflow.cli import (
    build,
    check,
    deploy,
    doctor,
    explain,
    graph,
    init,
    inspect,
    keys,
    lock,
    logs,
    lsp,
    manual,
    migrate,
    new,
    operating,
    plan,
    run,
    schema,
    signing,
    start,
    top,
)
from doraflow.cli.loudness import Commands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WRITE = "Write dataflows"
RUN = "Run dataflows"
TOOLS = "Look things up"

app = Commands(
    name="doraflow",
    help=(
        "Compile dora dataflows into launchers.\n\n"
        "A dataflow is a YAML graph of nodes. [bold]check[/bold] finds its faults before anything runs, "
        "[bold]build[/bold] writes a folder that runs with Python alone, [bold]run[/bold] does both and starts it.\n\n"
        "Start with: doraflow run examples/hello/dataflow.yml"
    ),
    epilog="Exit codes: 0 all went well, 1 the dataflow or a node has faults, 2 the command was not understood.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add(name: str, panel: str, command: Callable[..., None]) -> None:
    epilog = manual.epilog_of(name, command)
    app.command(name, rich_help_panel=panel, help=manual.help_of(command), epilog=epilog)(command)


_add("init", WRITE, init.init)
app.add_typer(new.app, name="new", rich_help_panel=WRITE)
_add("check", WRITE, check.check)
_add("build", WRITE, build.build)
_add("graph", WRITE, graph.graph)
_add("expand", WRITE, graph.expand)
_add("plan", WRITE, plan.plan)
_add("lock", WRITE, lock.lock)
_add("migrate", WRITE, migrate.migrate)
_add("run", RUN, run.run)
_add("start", RUN, start.start)
_add("stop", RUN, operating.stop)
_add("restart", RUN, operating.restart)
_add("pause", RUN, operating.pause)
_add("resume", RUN, operating.resume)
_add("list", RUN, operating.list_runs)
_add("status", RUN, operating.status)
_add("top", RUN, top.top)
_add("inspect", RUN, inspect.inspect)
_add("logs", RUN, logs.logs)
app.add_typer(keys.app, name="keys", rich_help_panel=RUN)
_add("sign", RUN, signing.sign)
_add("verify", RUN, signing.verify)
_add("deploy", RUN, deploy.deploy)
_add("doctor", TOOLS, doctor.doctor)
_add("explain", TOOLS, explain.explain)
_add("schema", TOOLS, schema.schema)
_add("lsp", TOOLS, lsp.lsp)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"doraflow {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before the command."""


STAYING = ("run", "start", "lsp", "logs", "top", "inspect")
"""The commands that may go on for hours, and need the garbage collector."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


def main(key: str | None = None) -> None:
    """Run the command line and exit; `key` is what the command's result may be kept under.

    In a command that ends the garbage collector rests, see `doraflow.collector`.
    """
    if sys.argv[1:2] and sys.argv[1] not in STAYING:
        gc.disable()
    try:
        needed(sys.argv[1:])(obj=key)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _end_unheard(error)


def _end_unheard(error: OSError) -> NoReturn:
    """Say why what is told cannot be written, and exit; the interpreter must not find that out again when it ends."""
    with suppress(OSError):
        typer.echo(f"error: the output cannot be written: {(error.strerror or str(error)).lower()}", err=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(1)


def needed(arguments: Sequence[str]) -> Commands:
    """Give the command line with no more commands than the called one: typer reads the options of all it has."""
    called = [command for command in app.registered_commands if arguments and command.name == arguments[0]]
    if not called:
        return app
    alone = copy.copy(app)
    alone.registered_commands, alone.registered_groups = called, []
    return alone
