"""What goes wrong when a bundle is launched, as data: code, message, place and mend.

Nothing here prints; `console` does. The codes are those of the compiler's table, which a host does not carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault with one cause.

    `place` is where the dataflow defines the node (`dataflow.yml:4:9`), `notes` are lines to show below the message,
    `help` states the edit or command that mends it, and `cause` is the node from whose failure this one follows.

    >>> print(Finding("DF801", "`a` cannot be executed: `a.py` does not exist", place="d.yml:3:9").text())
    error[DF801]: `a` cannot be executed: `a.py` does not exist
      --> d.yml:3:9
    """

    code: str
    message: str
    node: str = ""
    place: str = ""
    notes: tuple[str, ...] = ()
    help: str | None = None
    cause: str = ""

    def text(self) -> str:
        """Lay the finding out for a terminal, without a line end."""
        lines = [f"error[{self.code}]: {self.message}"]
        if self.place:
            lines.append(f"  --> {self.place}")
        lines += [f"   | {note}" for note in self.notes]
        if self.help:
            lines.append(f"hint: {self.help}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """Lay the finding out for `--output json`."""
        return {
            "type": "diagnostic",
            "code": self.code,
            "severity": "error",
            "message": self.message,
            "node": self.node,
            "place": self.place,
            "notes": list(self.notes),
            "help": self.help,
            "cause": self.cause,
        }


class LaunchError(Exception):
    """The bundle cannot be launched, or not as asked; holds everything that was found."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


def cause(error: OSError) -> str:
    """Say what the system objects to, in its own words but our case.

    >>> cause(PermissionError(13, "Permission denied"))
    'permission denied'
    """
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def listed(names: Iterable[str]) -> str:
    """List names for a sentence.

    >>> listed(["a", "b"])
    '`a`, `b`'
    """
    return ", ".join(f"`{name}`" for name in names)
