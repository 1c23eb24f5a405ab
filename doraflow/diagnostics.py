"""Findings as data: where something stands, what is wrong with it, and how to mend it.

Nothing here prints or reads a file; `doraflow.render` turns diagnostics into text and JSON. Every stage of the
compiler gets a `Sink`, adds what it finds, and goes on: a stage never raises for bad input.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from doraflow.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How grave a finding is; only errors make a command exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text.

    Lines and columns count from 1, columns in characters; `end_column` is the column after the last character.
    `file` is the path as the user gave it, with forward slashes.

    >>> str(Span("dataflow.yml", 14, 14, 14, 26))
    'dataflow.yml:14:14'
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a finding, with what to know about it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding with one cause.

    `message` is lower case and without a full stop, and names values, rule and consequence. `label` is written under
    the marked text. `help` states the edit that mends it and never asks. `replacement` is given only where that edit is
    exact: the text that mends the finding in the place of `span`. `span` is None only where no text is at fault (an
    output folder that cannot be written). `conceal` marks a secret: no output shows that text, in any finding.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    replacement: str | None = None
    conceal: Span | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"the code {self.code} is not in doraflow.codes")


MOST_OF_A_KIND = 1_000
"""How many findings of one code and gravity a run keeps; nobody reads more, and a bad file could hold a million."""


@dataclass(slots=True)
class Sink:
    """Collects the findings of a run. Not thread-safe: one compilation, one sink.

    Of one code and gravity the first are kept, `left_out` counts the others.

    >>> sink = Sink()
    >>> sink.error("DF011", "the file is empty")
    >>> sink.has_errors
    True
    """

    strict: bool = False
    found: list[Diagnostic] = field(default_factory=list)
    set_aside: list[Diagnostic] = field(default_factory=list)
    left_out: dict[tuple[str, Severity], int] = field(default_factory=dict)
    _kept: dict[tuple[str, Severity], int] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known: set[Diagnostic] = field(default_factory=set, init=False, repr=False, compare=False)

    def add(self, diagnostic: Diagnostic) -> None:
        """Take a finding; the same finding twice is kept once."""
        kind = (diagnostic.code, diagnostic.severity)
        if diagnostic in self._known or self._is_full(*kind):
            return
        self._known.add(diagnostic)
        self._kept[kind] = self._kept.get(kind, 0) + 1
        self.found.append(diagnostic)

    def leave_out(self, code: str, severity: Severity = Severity.ERROR, count: int = 1) -> None:
        """Count findings that there are too many of to be kept."""
        kind = (code, severity)
        self.left_out[kind] = self.left_out.get(kind, 0) + count

    def take_over(self, other: Sink) -> None:
        """Count what another sink left out as left out here."""
        for (code, severity), count in other.left_out.items():
            self.leave_out(code, severity, count)

    def _is_full(self, code: str, severity: Severity) -> bool:
        """Tell whether no more findings of a kind are kept, and count this one as left out if so."""
        if self._kept.get((code, severity), 0) < MOST_OF_A_KIND:
            return False
        self.leave_out(code, severity)
        return True

    def error(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        related: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002 - the field's own name
        replacement: str | None = None,
    ) -> None:
        """Add a finding that stops the build."""
        if self._is_full(code, Severity.ERROR):
            return
        places, told = tuple(related), tuple(notes)
        self.add(Diagnostic(code, Severity.ERROR, message, span, label, places, told, help, replacement))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        related: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002
        replacement: str | None = None,
        conceal: Span | None = None,
    ) -> None:
        """Add a finding that the user should know of; under `strict` a warning is an error."""
        severity = Severity.ERROR if self.strict else Severity.WARNING
        if self._is_full(code, severity):
            return
        places, told = tuple(related), tuple(notes)
        self.add(Diagnostic(code, severity, message, span, label, places, told, help, replacement, conceal))

    def note(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        related: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002
    ) -> None:
        """Add a finding that may be meant so; it stays a note under `strict`."""
        if self._is_full(code, Severity.NOTE):
            return
        self.add(Diagnostic(code, Severity.NOTE, message, span, label, tuple(related), tuple(notes), help))

    def raise_to_error(self, code: str) -> None:
        """Make every finding with this code an error: what was a warning so far stops the build from here on.

        Those that were set aside come back: what the user may overlook in a check he cannot build.
        """
        back = [diagnostic for diagnostic in self.set_aside if diagnostic.code == code]
        self.set_aside = [diagnostic for diagnostic in self.set_aside if diagnostic.code != code]
        self.found = [
            replace(diagnostic, severity=Severity.ERROR) if diagnostic.code == code else diagnostic
            for diagnostic in (*self.found, *back)
        ]

    def settle(self, found: Iterable[Diagnostic], set_aside: Iterable[Diagnostic]) -> None:
        """Replace the findings by what the user's settings make of them, with those that he does not want to see."""
        self.found, self.set_aside = list(found), list(set_aside)

    @property
    def is_flooded(self) -> bool:
        """Whether there are so many errors that looking for more is of no use."""
        return any(severity is Severity.ERROR for _, severity in self.left_out)

    @property
    def has_errors(self) -> bool:
        """Whether anything found so far stops the build."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.found)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, sorted by file, line and column; those without a place come last."""
        found = sorted(self.found, key=_by_place)
        if self.left_out:
            last = {diagnostic.code: position for position, diagnostic in enumerate(found)}
            for code in dict.fromkeys(code for code, _ in self.left_out):
                if code in last:
                    found[last[code]] = self._with_count(found[last[code]])
        return tuple(found)

    def _with_count(self, diagnostic: Diagnostic) -> Diagnostic:
        count = sum(left for (code, _), left in self.left_out.items() if code == diagnostic.code)
        note = f"and at least {count} more `{diagnostic.code}` like this"
        return replace(diagnostic, notes=(*diagnostic.notes, note))


def _by_place(diagnostic: Diagnostic) -> tuple[bool, str, int, int, str]:
    span = diagnostic.span
    if span is None:
        return (True, "", 0, 0, diagnostic.code)
    return (False, span.file, span.line, span.column, diagnostic.code)
