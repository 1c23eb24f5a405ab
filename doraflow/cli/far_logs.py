"""The logs of all hosts for `doraflow logs`: where a run goes on and has other hosts, theirs are fetched through it.

A host that cannot be asked is told, and the others are shown.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doraflow_runtime.control.registry import FoundRun

    from doraflow.logs.folders import LoggedRun
    from doraflow.operate.fleet import HostView

_LOOK_SECONDS = 3.0


@contextlib.contextmanager
def all_hosts(run: LoggedRun, host: str) -> Iterator[tuple[LoggedRun, Callable[[], None]]]:
    """Give a run with the logs of its other hosts, or of the one `host` alone, and what fetches their new lines."""
    found = _living(run)
    views = _views(found) if found is not None else ()
    if host:
        views = _only(views, host, found)
    if found is None or all(view.seen is None for view in views):
        yield run, lambda: None  # there is no other host, or the one that is asked is meant alone
        return
    from doraflow.operate.far_logs import FarLogs

    for view in views:
        if view.status is None:
            typer.echo(f"doraflow: what host `{view.host}` has is not shown: {view.trouble or view.state}", err=True)
    with tempfile.TemporaryDirectory(prefix="doraflow-logs-") as base:
        far = FarLogs(found, views, Path(base))
        try:
            far.pull()
            nodes = tuple(dict.fromkeys((*run.nodes, *far.nodes)))
            yield replace(run, copies=far.folders, nodes=nodes, is_elsewhere=bool(host)), far.pull
        finally:
            far.close()


def _living(run: LoggedRun) -> FoundRun | None:
    from doraflow.operate.choosing import known_runs

    return next((found for found in known_runs() if found.is_alive and Path(found.facts.logs) == run.folder), None)


def _views(found: FoundRun) -> tuple[HostView, ...]:
    """Ask for the hosts; a run that does not answer is read from its files alone."""
    from doraflow.diagnostics import Sink
    from doraflow.operate.fleet import survey

    return survey(found, _LOOK_SECONDS, Sink(), wants_metrics=False)


def _only(views: Sequence[HostView], host: str, found: FoundRun | None) -> tuple[HostView, ...]:
    from doraflow.cli.operating import finish
    from doraflow.cli.report import fail
    from doraflow.diagnostics import Sink
    from doraflow.operate.asking import findings_of_control
    from doraflow.operate.fleet import chosen_hosts

    if found is None or not views:
        fail(
            "hosts can be told apart only while a run goes on and answers", "leave out `--host`: each host has its own"
        )
    sink, chosen = Sink(), tuple(views)
    with findings_of_control(sink):
        chosen = chosen_hosts(views, host)
    finish(sink)
    return chosen
