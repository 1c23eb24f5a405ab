"""What becomes of every line that a node writes: its record goes to the log file, the console, and nodes that read it.

The one place where the rules of a node's log are applied. How a line becomes a record, and how records are written,
stands in modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.launcher.records import RAW_LEVEL, passes, records_of, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from doraflow_runtime.contract import NodeWiring
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.lines import Line
    from doraflow_runtime.launcher.log_files import LogFiles
    from doraflow_runtime.launcher.log_readers import LogReaders
    from doraflow_runtime.launcher.records import Record, Stream


class NodeLogs:
    """The logs of the nodes of a run."""

    __slots__ = ("_console", "_files", "_readers", "_rules")

    def __init__(self, nodes: Iterable[NodeWiring], files: LogFiles, console: Console, readers: LogReaders) -> None:
        self._rules = {node.id: node.logs for node in nodes}
        self._files = files
        self._console = console
        self._readers = readers

    def take(self, node: str, lines: list[Line], stream: Stream) -> list[Record]:
        """Take lines of a node's output, and give all records that they made."""
        now = timestamp()
        rules = self._rules[node]
        self._readers.lines(node, lines)
        made = [record for line in lines for record in records_of(line, node, stream, now)]
        kept = made
        if rules.lowest != RAW_LEVEL:
            kept = [record for record in made if passes(record.level, rules.lowest)]
        if kept:
            self._files.write(node, kept, rules)
            self._console.records(kept)
            self._readers.records(node, kept)
        return made

    def file(self, node: str) -> Path:
        """Say where the records of a node lie."""
        return self._files.file(node)

    def arrived(self, node: str) -> None:
        """Note that a node listens, which may be one that reads logs."""
        self._readers.arrived(node)

    def ended(self, node: str) -> None:
        """Note that nothing of a node is left, and that it will not be started again."""
        self._readers.ended(node)
