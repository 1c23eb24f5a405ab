"""`doraflow top`: all runs on one screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def top(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Settings of the screen.", show_default="~/.config/doraflow/top.toml"
        ),
    ] = None,
) -> None:
    """Watch all runs on a screen: nodes with rates and latencies, their ports and queues, their logs.

    Keys: p pauses or resumes the node under the cursor, r restarts it, x stops the run, / filters nodes, l searches the
    log, s and d sort, a shows the log of all nodes, q leaves. The settings are told in docs/operating.md.

    Example: doraflow top
    """
    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink
    from doraflow.operate.top.settings import TopSettings, read_settings, settings_file

    sink = Sink()
    path = config or settings_file(os.environ)
    settings = read_settings(path, sink) if config is not None or path.exists() else TopSettings()
    finish(sink)
    if not sys.stdout.isatty():
        typer.echo("error: `top` needs a terminal; `doraflow status --output json` is for scripts", err=True)
        raise typer.Exit(2)
    from doraflow.operate.top.app import Top
    from doraflow.operate.top.source import LiveSource

    Top(LiveSource(), settings).run()
