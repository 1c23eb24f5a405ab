"""`doraflow inspect`: the messages of an output, live."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.operating import ANSWER_SECONDS, RunOption, Timeout, finish
from doraflow.cli.outputs import LinesOption, TextOutput

if TYPE_CHECKING:
    from doraflow.operate.inspecting import Message, Pace, Schema


def inspect(
    source: Annotated[
        str, typer.Argument(metavar="NODE/OUTPUT", help="The output, such as `camera/image`.", show_default=False)
    ],
    run: RunOption = "",
    output: LinesOption = TextOutput.TEXT,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=0, help="End after so many messages; 0 does not.")
    ] = 0,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", metavar="SECONDS", min=0, help="End after so many seconds.", show_default="until Ctrl-C"
        ),
    ] = float("inf"),
    shown: Annotated[
        int, typer.Option("--shown", metavar="N", min=0, help="How many messages a second are shown.")
    ] = 5,
    silence: Annotated[
        float, typer.Option("--silence", metavar="SECONDS", min=0, help="How many seconds nothing may come.")
    ] = 30.0,
    timeout: Timeout = ANSWER_SECONDS,
) -> None:
    """Look at the messages of an output while the run goes on: values, type, rate, bandwidth.

    The node sends copies to this command as to one more reader, and drops those that it does not take in time: nobody
    else waits for it. Of a fast output only some messages a second are shown; all that come are counted.

    Example: doraflow inspect camera/image --run vision --count 10
    """
    from contextlib import closing, suppress

    from doraflow.diagnostics import Sink
    from doraflow.operate.choosing import choose
    from doraflow.operate.inspecting import Bounds, look, open_tap

    sink = Sink()
    found = choose(run, sink)
    spy = open_tap(found, source, timeout, sink) if found is not None else None
    finish(sink)
    if spy is not None:
        write = _write_json if output is TextOutput.JSON else _write_text
        with closing(spy), suppress(KeyboardInterrupt):
            for seen in look(spy, source, Bounds(count, seconds, silence, shown), sink):
                write(seen)
    finish(sink)


def _write_json(seen: Message | Schema | Pace) -> None:
    typer.echo(json.dumps({"kind": seen.kind, **asdict(seen)}, ensure_ascii=False, default=str))


def _write_text(seen: Message | Schema | Pace) -> None:
    from doraflow.operate.inspecting import Message, Schema
    from doraflow.operate.tables import latency, rate, size

    match seen:
        case Message():
            metadata = f"  {seen.metadata}" if seen.metadata else ""
            told = f"{latency(seen.latency_us)}, {size(seen.size)}"
            typer.echo(f"#{seen.number}  {told}, {seen.length} values: {seen.value}{metadata}")
        case Schema():
            typer.echo(f"type: {seen.type}", err=True)
        case _:
            bandwidth = size(int(seen.bandwidth))
            typer.echo(f"{rate(seen.rate)} messages/s, {bandwidth}/s, {seen.messages} in all", err=True)
