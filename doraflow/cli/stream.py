"""What a launcher tells, line by line as JSON, shown to a person: each node in a colour of its own.

Only used on a terminal; elsewhere the launcher writes plain text itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from doraflow.cli.building import counted
from doraflow.cli.loudness import Loudness, loudness
from doraflow.logs.records import LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NODE_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
_LEVEL_STYLES = {"error": "bold red", "warn": "yellow", "info": "", "debug": "dim", "trace": "dim", "stdout": ""}


class Stream:
    """Shows the lines of a run; `nodes` gives the colours and the width of the first column."""

    def __init__(self, nodes: Sequence[str], output: Console | None = None, errors: Console | None = None) -> None:
        self._output = output or Console(soft_wrap=True, highlight=False)
        self._errors = errors or Console(stderr=True, soft_wrap=True, highlight=False)
        self._count = len(nodes)
        self._width = max(map(len, nodes), default=0)
        self._colours = {node: _NODE_COLOURS[at % len(_NODE_COLOURS)] for at, node in enumerate(nodes)}

    def show_all(self, lines: Iterable[str]) -> None:
        """Show every line until there are no more."""
        for line in lines:
            self.show(line)

    def show(self, line: str) -> None:
        """Show one line; one that is no JSON object is shown as it is."""
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        match told:
            case {"type": "log", "node": str(node), "level": str(level), "message": str(message)}:
                fields = told.get("fields")
                record = LogRecord("", "stdout", node, message, None, fields if isinstance(fields, dict) else {})
                self._log(node, level, record.lines())
            case {"type": "event", "event": "started", "seconds": float(seconds)}:
                self._started(seconds)
            case {"type": "event", "message": str(message)}:
                if message and loudness() is not Loudness.QUIET:
                    self._errors.print(Text(f"doraflow: {message}", style="dim"))
            case {"type": "diagnostic"}:
                self._diagnostic(told)
            case _:
                self._output.print(Text(line.rstrip("\n")))

    def _started(self, seconds: float) -> None:
        """Tell that every node has joined, and every link between them is established."""
        if loudness() is not Loudness.QUIET:
            nodes = counted(self._count, "node")
            self._errors.print(
                Text.assemble((f"{'started':>9}", "green"), f" {nodes}, links established ({seconds:.1f} s)")
            )

    def _log(self, node: str, level: str, lines: list[str]) -> None:
        style = _LEVEL_STYLES.get(level, "")
        prefix = "" if level == "stdout" else f"{level}: "
        for at, part in enumerate(lines):
            name = (f"{node:<{self._width}} | ", self._colours.get(node, ""))
            # A node's own colours are kept, anything else that steers a terminal is not.
            begin = "" if at else prefix
            self._output.print(Text.assemble(name, (begin, style), Text.from_ansi(part, style=style)))

    def _diagnostic(self, told: dict[str, object]) -> None:
        head = Text.assemble((f"error[{told.get('code')}]", "bold red"), (f": {told.get('message')}", "bold"))
        self._errors.print(head)
        if told.get("place"):
            self._errors.print(Text.assemble(("  --> ", "blue"), str(told["place"])))
        notes = told.get("notes")
        for note in notes if isinstance(notes, list) else ():
            self._errors.print(Text.assemble(("   | ", "blue"), str(note)))
        if told.get("help"):
            self._errors.print(Text.assemble(("hint", "bold green"), f": {told['help']}"))
