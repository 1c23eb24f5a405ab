"""Build steps as bars that move, on a terminal: one for each step that runs, with the time it has taken.

What has ended stands above the bars as a line of its own, as on any other output. rich is only imported once a step
runs, since most builds have none to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from doraflow.cli.progress import News

_REFRESHES = 8
_BAR_WIDTH = 24


class BarTeller:
    """Shows a bar for each step that runs. Not thread-safe: its user takes turns."""

    tells_stages = True

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def tell(self, news: News) -> None:
        """Begin a bar, or end it with a line."""
        if news.stage == "building" and news.state == "started":
            bars = self._started()
            self._tasks[news.subject] = bars.add_task(news.subject, total=None)
            return
        if news.state == "started":
            return
        if self._bars is not None and news.subject in self._tasks:
            self._bars.remove_task(self._tasks.pop(news.subject))
        self._write(news.line(coloured=True))

    def finish(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _write(self, line: str) -> None:
        if self._bars is None:
            typer.echo(line, file=self._stream)
        else:
            from rich.text import Text

            self._bars.console.print(Text.from_ansi(line), soft_wrap=True)

    def _started(self) -> Progress:
        if self._bars is None:
            self._bars = bars_on(_console(self._stream))
            self._bars.start()
        return self._bars


def bars_on(console: Console) -> Progress:
    """Make the bars: a word, the node, a bar, and the time since the step began."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn(f"[blue]{'building':>9}[/] {{task.description}}"),
        BarColumn(bar_width=_BAR_WIDTH),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        refresh_per_second=_REFRESHES,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False)
