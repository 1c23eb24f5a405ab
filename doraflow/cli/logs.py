"""`doraflow logs`: what the nodes of a run have said, and go on saying."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from doraflow.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doraflow.logs.folders import LoggedRun
    from doraflow.logs.query import Query
    from doraflow.logs.reader import Ends
    from doraflow.logs.records import LogRecord

_PAUSE = 0.2
"""Seconds between looks at a log that is followed."""


class Level(StrEnum):
    """Levels from the gravest on; spelt here so that `--help` need not load the readers."""

    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"
    TRACE = "trace"
    STDOUT = "stdout"


class Form(StrEnum):
    """The forms of `--output`."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    YAML = "yaml"


class Group(StrEnum):
    """What `--group` keeps together."""

    NODE = "node"
    LEVEL = "level"


def logs(
    nodes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NODE",
            help="Of these nodes only.",
            show_default=False,
            autocompletion=completion.logged_nodes,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="A dataflow's name (its newest run), a run's name or id, or a folder of logs. The newest run without.",
            show_default=False,
            autocompletion=completion.logged_runs,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    level: Annotated[Level, typer.Option("--level", help="The lowest level; lines without one are `stdout`.")] = (
        Level.STDOUT
    ),
    text: Annotated[
        str, typer.Option("--filter", metavar="TEXT", help="With this text, in any case.", show_default=False)
    ] = "",
    regex: Annotated[
        str | None, typer.Option("--regex", metavar="PATTERN", help="That match this pattern.", show_default=False)
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="From then on: `5m` ago, or a date.", show_default=False)
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Up to then: `5m` ago, or a date.", show_default=False)
    ] = "",
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", min=0, help="The last N only.", show_default=False)
    ] = None,
    form: Annotated[Form, typer.Option("--output", "--format", "-o", help="How to write them.")] = Form.TEXT,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="What nodes on this host have said.", show_default=False)
    ] = "",
    group: Annotated[
        Group | None, typer.Option("--group", help="Keep together those of a node or a level.", show_default=False)
    ] = None,
) -> None:
    """Print the logs of a run, all nodes together by time, while it goes on or afterwards.

    While a run on several hosts goes on, those of all hosts are printed, with their times on the clock of this one; of
    each log on another host the last 8 MiB. Afterwards each host has its own.

    Example: doraflow logs --follow
    """
    from doraflow.cli.far_logs import all_hosts
    from doraflow.logs.folders import find_run, state_folder

    if follow and group is not None:
        _refuse("what is not over cannot be grouped: leave out `--follow` or `--group`")
    query = _query(tuple(nodes or ()), level, text, regex, since, until)
    found = find_run(state_folder(os.environ), run, _folders_in_use())
    if found is None:
        _tell_no_run(run)
    with all_hosts(found, host) as (whole, pull):
        _check_nodes(whole, query.nodes)
        sys.stderr.write(f"doraflow: logs in {found.folder}\n" if sys.stderr.isatty() else "")
        try:
            _print(whole, query, tail, group, Form(form), follow=pull if follow else None)
        except BrokenPipeError:
            # Who reads has seen enough; the interpreter must not find that out once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _query(nodes: tuple[str, ...], level: Level, text: str, regex: str | None, since: str, until: str) -> Query:
    import re
    from datetime import UTC, datetime

    from doraflow.logs.query import Query, moment

    now = datetime.now(UTC)
    try:
        begin, end = (moment(time, now) if time else "" for time in (since, until))
        pattern = re.compile(regex) if regex is not None else None
    except re.error as error:
        _refuse(f"`{regex}` is no pattern: {error}")
    except ValueError as error:
        _refuse(str(error))
    return Query(nodes, level.value, None, text, pattern, begin, end)


def _print(
    run: LoggedRun,
    query: Query,
    tail: int | None,
    group: Group | None,
    form: Form,
    *,
    follow: Callable[[], None] | None,
) -> None:
    from doraflow.logs.formats import LogFormat, closing, opening, written
    from doraflow.logs.reader import ends_of

    shape = LogFormat(form.value)
    width = max(map(len, run.nodes), default=0)
    ends = ends_of(run)
    count = 0
    sys.stdout.write(opening(shape))
    for head, records in _parts(run, query, tail, group, ends, follow=follow):
        for at, record in enumerate(records):
            if not at and head and form is Form.TEXT:
                sys.stdout.write(f"== {head}\n")
            _write(written(record, shape, width))
            count += 1
    sys.stdout.write(closing(shape, is_empty=not count))
    sys.stdout.flush()


def _parts(
    run: LoggedRun,
    query: Query,
    tail: int | None,
    group: Group | None,
    ends: Ends,
    *,
    follow: Callable[[], None] | None,
) -> Iterator[tuple[str, Iterable[LogRecord]]]:
    from doraflow.logs.reader import read, read_grouped, read_last

    if tail is not None:
        last = read_last(run, query, tail, ends)
        yield from _grouped(last, group) if group is not None else [("", last)]
    elif group is not None:
        yield from read_grouped(run, query, group.value, ends)
    else:
        yield "", read(run, query, ends)
    if follow is not None:
        yield "", _followed(run, query, ends, follow)


def _grouped(records: list[LogRecord], group: Group) -> Iterator[tuple[str, list[LogRecord]]]:
    found: dict[str, list[LogRecord]] = {}
    for record in records:
        found.setdefault(record.node if group is Group.NODE else record.level, []).append(record)
    order = list(found) if group is Group.NODE else [level.value for level in Level if level.value in found]
    for head in order:
        yield head, found[head]


def _followed(run: LoggedRun, query: Query, ends: Ends, pull: Callable[[], None]) -> Iterator[LogRecord]:
    """Give what is written from `ends` on, until the run is over; Ctrl-C ends that as well.

    `pull` fetches what is new on other hosts.
    """
    from doraflow.logs.reader import LogFollower

    follower = LogFollower(run, query, ends)
    with suppress(KeyboardInterrupt):
        is_over = False
        while not is_over:
            pull()
            is_over = not run.goes_on()  # asked before the last look, so that nothing is missed
            yield from follower.new()
            sys.stdout.flush()
            if not is_over:
                time.sleep(_PAUSE)
    follower.close()


def _write(text: str) -> None:
    """Write what the encoding of standard output can carry, and escape the rest."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _folders_in_use() -> list[Path]:
    """Name the folders of logs of the runs that go on, wherever they were told to lie."""
    from doraflow.operate.choosing import known_runs

    return [Path(run.facts.logs) for run in known_runs() if run.is_alive]


def _tell_no_run(name: str | None) -> NoReturn:
    from doraflow.cli.report import fail
    from doraflow.logs.folders import known_runs, state_folder
    from doraflow.parser.suggest import choices_text

    base = state_folder(os.environ)
    runs = known_runs(base, _folders_in_use())
    known = list(dict.fromkeys(text for run in runs for text in (run.given_name, run.dataflow) if text))
    if not known:
        fail(f"no run has left logs in `{base}`", "start one with `doraflow run`, or name a folder with `--run`")
    fail(
        f"there is no run `{name}` with logs in `{base}`", f"name one of {choices_text(str(name), known)}, or a folder"
    )


def _check_nodes(run: LoggedRun, wanted: tuple[str, ...]) -> None:
    from doraflow.cli.report import fail
    from doraflow.parser.suggest import choices_text

    known = list(dict.fromkeys([*run.nodes, *run.files()]))
    for node in wanted:
        if node not in known:
            fail(f"run `{run.name}` has no node `{node}`", f"name one of {choices_text(node, known)}")


def _refuse(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(2)
