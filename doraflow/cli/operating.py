"""The commands that ask a run something: `list`, `status`, `stop`, `restart`, `pause` and `resume`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from doraflow.cli import completion
from doraflow.cli.outputs import Output, OutputOption, TextOutput, TextOutputOption, show, show_json

if TYPE_CHECKING:
    from doraflow_runtime.control.messages import Pause, Restart, Resume

    from doraflow.diagnostics import Sink


RunArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]",
        help="The run, or its dataflow's name where one run has it; may be left out where one run goes on.",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
RunOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--run",
        "-r",
        metavar="RUN",
        help="The run, as `doraflow list` names it.",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
NodeArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NODE", help="The node's id.", show_default=False, autocompletion=completion.nodes)
]
HostOption: TypeAlias = Annotated[
    str, typer.Option("--host", metavar="HOST", help="This host of the run alone.", show_default=False)
]
Timeout: TypeAlias = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the run's answer.")
]

ANSWER_SECONDS = 5.0
END_SECONDS = 30.0


def list_runs(output: OutputOption = Output.TABLE) -> None:
    """List the runs of this user on this machine.

    A `stale` run's launcher was killed; the next start removes what is left of it.

    Example: doraflow list --output json
    """
    from doraflow.operate.choosing import known_runs
    from doraflow.operate.rows import list_object, run_rows
    from doraflow.operate.tables import run_table

    rows = run_rows(known_runs())
    if output is Output.TABLE and not rows:
        typer.echo("nothing runs", err=True)
        return
    show(output, run_table(rows) if rows else [], list_object(rows))


def status(
    run: RunArgument = "", host: HostOption = "", output: OutputOption = Output.TABLE, timeout: Timeout = ANSWER_SECONDS
) -> None:
    """Show how the nodes of a run stand, and what they do: rates, latency, drops, errors, processor, memory.

    The nodes are asked twice with half a second in between, to tell rates. A dash stands for what is not known. Of a
    run on several hosts all are told, whichever of them is asked.

    Example: doraflow status vision --output json
    """
    from doraflow.diagnostics import Sink
    from doraflow.operate.asking import findings_of_control
    from doraflow.operate.choosing import choose
    from doraflow.operate.fleet import chosen_hosts, survey
    from doraflow.operate.rows import host_rows, node_rows, status_object
    from doraflow.operate.tables import host_table, node_table

    sink = Sink()
    found = choose(run, sink)
    views = survey(found, timeout, sink) if found is not None else ()
    chosen = views
    with findings_of_control(sink):
        chosen = chosen_hosts(views, host) if views else ()
    finish(sink)
    standing = views[0].status if views else None
    if standing is not None:
        rows = [row for view in chosen if view.status is not None for row in node_rows(view.status, view.metrics)]
        if output is Output.TABLE:
            facts = standing.run
            typer.echo(f"{facts.name}: {standing.state}, launcher {facts.launcher}, logs in {facts.logs}", err=True)
        has_hosts = len(views) > 1
        hosts = host_rows(views)
        table = [*host_table(hosts), ("\n", ""), *node_table(rows, has_hosts=True)] if has_hosts else node_table(rows)
        told = [row for row in hosts if not host or row.host == host]
        show(output, table, status_object(standing, told, rows))


def stop(
    run: RunArgument = "",
    now: Annotated[bool, typer.Option("--now", help="Kill what runs at once, without a chance to end well.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the end; 0 waits not.")
    ] = END_SECONDS,
    node: Annotated[
        str,
        typer.Option(
            "--node",
            metavar="NODE",
            help="Stop this node alone, for good; the others go on.",
            show_default=False,
            autocompletion=completion.nodes,
        ),
    ] = "",
    host: HostOption = "",
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Stop a run, or one node or host of it: asked to end, and ended if that does not happen.

    Waits until nothing of it is left. A node that was stopped is not started again. A run on several hosts is stopped
    on all of them.

    Example: doraflow stop vision
    """
    from doraflow.diagnostics import Sink
    from doraflow.operate.choosing import choose
    from doraflow.operate.ending import stop as stop_run
    from doraflow.operate.ending import stop_host, stop_node

    if node and now:
        raise typer.BadParameter("it kills a whole run", param_hint="--now")
    sink = Sink()
    found = choose(run, sink)
    if found is not None and node:
        if stop_node(found, node, timeout, _notice, sink, host):
            _tell(output, found.name, node, f"`{node}` has ended" if timeout else f"`{node}` is stopping")
    elif found is not None and host:
        if stop_host(found, host, timeout, _notice, sink, now=now):
            _tell(output, found.name, None, f"host `{host}` {'has ended' if timeout else 'is stopping'}")
    elif found is not None and stop_run(found, timeout, _notice, sink, now=now):
        _tell(output, found.name, None, "stopped" if timeout else "stopping")
    finish(sink)


def restart(
    node: Annotated[
        str,
        typer.Argument(
            metavar="[NODE]",
            help="The node's id; every node without.",
            show_default=False,
            autocompletion=completion.nodes,
        ),
    ] = "",
    run: RunOption = "",
    host: HostOption = "",
    timeout: Timeout = ANSWER_SECONDS,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Restart a node, whatever its restart policy, or every node of a run.

    Example: doraflow restart camera --run vision
    """
    from doraflow_runtime.control.messages import Restart

    _ask(run, Restart(node), host, timeout, output)


def pause(
    node: NodeArgument,
    run: RunOption = "",
    host: HostOption = "",
    timeout: Timeout = ANSWER_SECONDS,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Hold a node: its processes stand still until it is resumed.

    Example: doraflow pause camera
    """
    from doraflow_runtime.control.messages import Pause

    _ask(run, Pause(node), host, timeout, output)


def resume(
    node: NodeArgument,
    run: RunOption = "",
    host: HostOption = "",
    timeout: Timeout = ANSWER_SECONDS,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Let a node go on that was paused.

    Example: doraflow resume camera
    """
    from doraflow_runtime.control.messages import Resume

    _ask(run, Resume(node), host, timeout, output)


def finish(sink: Sink) -> None:
    """Tell the findings of a command; exit with 1 if there is an error among them."""
    from doraflow.cli.report import write_pieces
    from doraflow.render.text import text_pieces

    found = sink.diagnostics()
    if found:
        write_pieces(text_pieces(found, {}), sys.stderr)
    if sink.has_errors:
        raise typer.Exit(1)


def _ask(run: str, request: Restart | Pause | Resume, host: str, timeout: float, output: TextOutput) -> None:
    """Ask a run one thing and say what it answered."""
    from doraflow.diagnostics import Sink
    from doraflow.operate.choosing import choose
    from doraflow.operate.ordering import order

    sink = Sink()
    found = choose(run, sink)
    answer = order(found, request, host, timeout, sink) if found is not None else None
    finish(sink)
    if found is not None and answer is not None:
        _tell(output, found.name, request.node or None, answer)


def _tell(output: TextOutput, run: str, node: str | None, message: str) -> None:
    """Say what a run has answered."""
    if output is TextOutput.JSON:
        from doraflow.printed.objects import VERSION, Answer

        show_json(asdict(Answer(VERSION, run, node, message)))
    else:
        _notice(f"{run}: {message}")


def _notice(text: str) -> None:
    from doraflow.cli.loudness import Loudness, loudness

    if loudness() is not Loudness.QUIET:
        typer.echo(text, err=True)
