"""The end of a check: comments ignore findings, settings change how grave they are, and strictness raises the rest.

What is taken out stays with the sink, set aside: a later stage that cannot do with it can bring it back as an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.diagnostics import Diagnostic, Label, Severity, Sink
from doraflow.policy.comments import IgnoreComment, ignore_comments
from doraflow.policy.gravity import may_be_overruled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from doraflow.diagnostics import Span
    from doraflow.policy.settings import Override, Settings

_ABOUT_SOURCES = frozenset({"DF601", "DF602"})
_GRAVITY = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a check: the project's settings, `--strict` or not, and whether sources were looked for."""

    settings: Settings
    strict: bool
    saw_sources: bool


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a comment in the source ignores, and where that comment stands."""

    diagnostic: Diagnostic
    comment: Span


def apply_policy(sink: Sink, policy: Policy, texts: Mapping[str, str]) -> tuple[Ignored, ...]:
    """Put the sink's findings into the form that the user wants; give those that comments ignore.

    Warnings come to `sink` as such: strictness is applied here, after all that can make a finding less grave.
    """
    own = Sink()
    comments = _Comments(texts, own)
    kept = [diagnostic for diagnostic in sink.found if not comments.ignore(diagnostic)]
    # After an error some findings are not made at all, so that a comment may seem idle for want of them.
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in kept):
        unknown = {code for code, _ in sink.left_out} | (frozenset() if policy.saw_sources else _ABOUT_SOURCES)
        comments.tell_idle(unknown)
    grades = _Grades(policy.settings.severities, is_strict=policy.strict)
    told = [each for each in map(grades.graded, [*kept, *own.found]) if each is not None]
    sink.take_over(own)
    sink.settle([*told, *grades.refused()], [*(item.diagnostic for item in comments.ignored), *grades.dropped])
    return tuple(comments.ignored)


class _Comments:
    """The ignore comments of all files, and what becomes of them."""

    def __init__(self, texts: Mapping[str, str], sink: Sink) -> None:
        self.ignored: list[Ignored] = []
        self._sink = sink
        self._comments = [comment for file, text in texts.items() for comment in ignore_comments(text, file, sink)]
        self._by_place = {(each.span.file, each.line, each.code): each for each in reversed(self._comments)}
        self._used: set[Span] = set()
        self._refused: set[Span] = set()

    def ignore(self, diagnostic: Diagnostic) -> bool:
        """Tell whether a comment ignores a finding, and note it."""
        span = diagnostic.span
        if span is None or not self._by_place:
            return False
        comment = self._by_place.get((span.file, span.line, diagnostic.code))
        comment = comment or self._by_place.get((span.file, None, diagnostic.code))
        if comment is None:
            return False
        self._used.add(comment.span)
        if may_be_overruled(diagnostic):
            self.ignored.append(Ignored(diagnostic, comment.span))
            return True
        if comment.span not in self._refused:
            self._refused.add(comment.span)
            self._tell_refused(comment, span)
        return False

    def tell_idle(self, unknown: Collection[str]) -> None:
        """Tell of every comment for which there is no finding; of the codes in `unknown` not all have been found."""
        for comment in self._comments:
            if comment.span in self._used or comment.code in unknown:
                continue
            where = "in this file" if comment.line is None else f"on line {comment.line}"
            self._sink.warning(
                "DF014",
                f"there is no finding `{comment.code}` {where} that this comment could ignore",
                comment.span,
                help=f"remove `{comment.code}` from the comment",
            )

    def _tell_refused(self, comment: IgnoreComment, error: Span) -> None:
        self._sink.warning(
            "DF015",
            f"`{comment.code}` cannot be ignored: it is an error that leaves no bundle",
            comment.span,
            related=[Label(error, "this is the error")],
            help="mend the error, and remove the comment",
        )


class _Grades:
    """How grave findings are made by settings and by strictness."""

    def __init__(self, overrides: Mapping[str, Override], *, is_strict: bool) -> None:
        self.dropped: list[Diagnostic] = []
        self._overrides = overrides
        self._is_strict = is_strict
        self._refused: dict[str, Diagnostic] = {}

    def graded(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """Give a finding as grave as it is wanted; None if it is not wanted at all."""
        severity = diagnostic.severity
        override = self._overrides.get(diagnostic.code)
        if override is not None:
            if override.severity is not None and _GRAVITY[override.severity] >= _GRAVITY[severity]:
                severity = override.severity
            elif not may_be_overruled(diagnostic):
                self._refused.setdefault(diagnostic.code, _refusal(diagnostic, override))
            elif override.severity is None:
                self.dropped.append(diagnostic)
                return None
            else:
                severity = override.severity
        if severity is Severity.WARNING and self._is_strict:
            severity = Severity.ERROR
        return diagnostic if severity is diagnostic.severity else replace(diagnostic, severity=severity)

    def refused(self) -> Sequence[Diagnostic]:
        """Give a finding for each setting that is not followed."""
        return list(self._refused.values())


def _refusal(diagnostic: Diagnostic, override: Override) -> Diagnostic:
    code = diagnostic.code
    message = f"this `{code}` is an error that leaves no bundle, and cannot be made less grave"
    related = () if diagnostic.span is None else (Label(diagnostic.span, "this is the error"),)
    return Diagnostic("DF025", Severity.ERROR, message, override.span, related=related, help="mend the error")
