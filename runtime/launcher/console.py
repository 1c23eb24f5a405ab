"""What the launcher shows: the nodes' records, its own progress and what it finds, as text or as JSON lines.

As text, records go to standard output and the launcher's own words to standard error; as JSON everything is one
object a line on standard output. Nothing is decided here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from doraflow_runtime.launcher.records import RAW_LEVEL, timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.launcher.findings import Finding
    from doraflow_runtime.launcher.outlet import Outlet
    from doraflow_runtime.launcher.records import Record

Style: TypeAlias = Literal["text", "json"]

# Colours stay; whatever else could move the cursor or reprogram a terminal is shown instead of sent.
_CONTROL = re.compile(r"(?P<colour>\x1b\[[0-9;:]*m)|[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class Console:
    """The launcher's voice. `width` is the length of the longest node id."""

    __slots__ = ("_errors", "_output", "_style", "width")

    def __init__(self, style: Style, output: Outlet, errors: Outlet) -> None:
        self._style = style
        self._output = output
        self._errors = errors
        self.width = 0

    @property
    def is_closed(self) -> bool:
        """Whether nobody reads standard output any more."""
        return self._output.is_closed

    def records(self, records: Sequence[Record]) -> None:
        """Show log records."""
        for record in records:
            if self._style == "json":
                self._output.write('{"type": "log", ' + record.as_json()[1:])
            else:
                begin = f"{record.node:<{self.width}} | "
                first, *more = record.lines()
                level = "" if record.level == RAW_LEVEL else f"{record.level}: "
                self._output.write(f"{begin}{level}{printable(first)}")
                for line in more:
                    self._output.write(f"{begin}{printable(line)}")

    def progress(self, event: str, message: str, **fields: object) -> None:
        """Tell how the run goes; `event` and `fields` are for machines. As text, an empty message shows nothing."""
        if self._style == "json":
            content = {"type": "event", "timestamp": timestamp(), "event": event, "message": message, **fields}
            self.say(json.dumps(content, ensure_ascii=False))
        elif message:
            self._errors.write(f"doraflow: {message}")

    def finding(self, finding: Finding) -> None:
        """Show what was found."""
        if self._style == "json":
            self.say(json.dumps(finding.as_json(), ensure_ascii=False))
        else:
            self._errors.write(finding.text())

    def say(self, line: str) -> None:
        """Write a line to standard output."""
        self._output.write(line)

    def finish(self) -> None:
        """Write all that still waits for its reader."""
        self._output.finish()
        self._errors.finish()


def printable(text: str) -> str:
    r"""Show control characters, other than tabs and colours, by their numbers.

    >>> printable("\x1b[31mred\x1b[0m \x07")
    '\x1b[31mred\x1b[0m \\x07'
    """
    return _CONTROL.sub(lambda found: found["colour"] or f"\\x{ord(found[0]):02x}", text)
