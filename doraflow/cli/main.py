"""The command line: commands are registered here, each in a module of its own.

Only typer is imported at the start; a command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import copy
import gc
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow import __version__
from doraflow.cli import (
    build,
    check,
    doctor,
    explain,
    graph,
    init,
    inspect,
    keys,
    logs,
    lsp,
    migrate,
    new,
    operating,
    plan,
    run,
    schema,
    start,
    top,
)
from doraflow.cli.loudness import Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

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
app.command("init", rich_help_panel=WRITE)(init.init)
app.add_typer(new.app, name="new", rich_help_panel=WRITE)
app.command("check", rich_help_panel=WRITE)(check.check)
app.command("build", rich_help_panel=WRITE)(build.build)
app.command("graph", rich_help_panel=WRITE)(graph.graph)
app.command("expand", rich_help_panel=WRITE)(graph.expand)
app.command("plan", rich_help_panel=WRITE)(plan.plan)
app.command("migrate", rich_help_panel=WRITE)(migrate.migrate)
app.command("run", rich_help_panel=RUN)(run.run)
app.command("start", rich_help_panel=RUN)(start.start)
app.command("stop", rich_help_panel=RUN)(operating.stop)
app.command("restart", rich_help_panel=RUN)(operating.restart)
app.command("pause", rich_help_panel=RUN)(operating.pause)
app.command("resume", rich_help_panel=RUN)(operating.resume)
app.command("list", rich_help_panel=RUN)(operating.list_runs)
app.command("status", rich_help_panel=RUN)(operating.status)
app.command("top", rich_help_panel=RUN)(top.top)
app.command("inspect", rich_help_panel=RUN)(inspect.inspect)
app.command("logs", rich_help_panel=RUN)(logs.logs)
app.add_typer(keys.app, name="keys", rich_help_panel=RUN)
app.command("doctor", rich_help_panel=TOOLS)(doctor.doctor)
app.command("explain", rich_help_panel=TOOLS)(explain.explain)
app.command("schema", rich_help_panel=TOOLS)(schema.schema)
app.command("lsp", rich_help_panel=TOOLS)(lsp.lsp)


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


STAYING = ("run", "start", "lsp", "logs")
"""The commands that go on after the dataflow is compiled, and need the garbage collector."""


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


def needed(arguments: Sequence[str]) -> Commands:
    """Give the command line with no more commands than the called one: typer reads the options of all it has."""
    called = [command for command in app.registered_commands if arguments and command.name == arguments[0]]
    if not called:
        return app
    alone = copy.copy(app)
    alone.registered_commands, alone.registered_groups = called, []
    return alone
