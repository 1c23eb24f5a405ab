"""The command line: commands are registered here, each in a module of its own.

Only typer is imported at the start; a command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from doraflow import __version__
from doraflow.cli import (
    build,
    check,
    doctor,
    explain,
    graph,
    init,
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
app.command("check")(check.check)
app.command("build")(build.build)
app.command("run")(run.run)
app.command("start")(start.start)
app.command("list")(operating.list_runs)
app.command("status")(operating.status)
app.command("top")(top.top)
app.command("stop")(operating.stop)
app.command("restart")(operating.restart)
app.command("pause")(operating.pause)
app.command("resume")(operating.resume)
app.command("init")(init.init)
app.add_typer(new.app, name="new")
app.command("doctor")(doctor.doctor)
app.command("graph")(graph.graph)
app.command("expand")(graph.expand)
app.command("plan")(plan.plan)
app.command("migrate")(migrate.migrate)
app.command("schema")(schema.schema)
app.command("lsp")(lsp.lsp)
app.command("logs")(logs.logs)
app.command("explain")(explain.explain)


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
        app(obj=key)
    except KeyboardInterrupt:
        sys.exit(130)
