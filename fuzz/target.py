"""What must hold for any bytes in the place of a dataflow: no exception, findings inside the text, bounded effort.

It imports no fuzzer, so that tests run it too; `fuzz.parser` feeds it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow.diagnostics import Sink
from doraflow.migrate.migration import migrate
from doraflow.parser.text import BYTE_ORDER_MARK, decode
from doraflow.pipeline import Options, check
from doraflow.render import text_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doraflow.diagnostics import Diagnostic, Span

MODULE = "nav.yml"
"""A module file beside the dataflow, so that bytes can include one."""
MODULE_TEXT = """\
module: {name: nav, inputs: [goal], inputs_optional: [map], outputs: [path]}
nodes:
  - {id: planner, path: planner.py, inputs: {goal: _mod/goal, map: _mod/map}, outputs: [path], args: $PARAM_SPEED}
"""
FLOW = "flow.yml"
_PLACEHOLDERS = ("{name}", "{key}", "{message}")


class BrokenPromiseError(AssertionError):
    """Something that must hold for any file does not."""


def prepare(folder: Path) -> None:
    """Write what lies beside every dataflow."""
    (folder / MODULE).write_text(MODULE_TEXT)


def try_bytes(content: bytes, folder: Path, seconds: float | None = None) -> tuple[Diagnostic, ...]:
    """Check and migrate `content` as a dataflow in `folder`; raises `BrokenPromiseError`, or what the compiler raised.

    `seconds` is how much processor time each of the two may take. Gives the findings of the check.
    """
    path = folder / FLOW
    path.write_bytes(content)
    begin = time.process_time()
    made = check(path, Options(check_sources=False))
    findings = made.diagnostics()
    _within("a check", begin, seconds)
    begin = time.process_time()
    printed = sum(len(piece) for piece in text_pieces(findings, made.all_texts()))
    _within("telling the findings", begin, seconds)
    if findings and not printed:
        raise BrokenPromiseError("findings that print nothing")
    if made.graph is None and not made.sink.has_errors:
        raise BrokenPromiseError("neither a graph nor an error")
    _judge(findings, made.all_texts())
    _try_migration(content, path.as_posix(), seconds)
    return findings


def _try_migration(content: bytes, name: str, seconds: float | None) -> None:
    sink = Sink()
    text = decode(content, name, sink)
    if text is None:
        return
    begin = time.process_time()
    migrated = migrate(text, name, sink)
    if migrated is None or not migrated.constructs:  # ruamel.yaml takes its time for a text that is written again
        _within("a migration", begin, seconds)
    if migrated is None and not sink.has_errors:
        raise BrokenPromiseError("a migration gave nothing and said nothing")
    if migrated is not None and not migrated.constructs and migrated.text != text:
        raise BrokenPromiseError("a migration without old constructs changed the text")
    _judge(sink.diagnostics(), {name: text})


def _within(what: str, begin: float, seconds: float | None) -> None:
    taken = time.process_time() - begin
    if seconds is not None and taken > seconds:
        raise BrokenPromiseError(f"{what} took {taken:.2f} s of processor time")


def _judge(findings: tuple[Diagnostic, ...], texts: Mapping[str, str]) -> None:
    """Hold findings to what is promised of each: a place in a file, words that are whole, and no second of its kind."""
    lines = {name: text.removeprefix(BYTE_ORDER_MARK).split("\n") for name, text in texts.items()}
    is_in_texts = any(placeholder in text for text in texts.values() for placeholder in _PLACEHOLDERS)
    for finding in findings:
        if not is_in_texts and any(placeholder in text for text in _texts(finding) for placeholder in _PLACEHOLDERS):
            raise BrokenPromiseError(f"a placeholder is left in {finding.message!r}")
        for span in _spans(finding):
            _judge_span(span, lines.get(span.file), finding)
    if len(set(findings)) < len(findings):
        raise BrokenPromiseError("a finding is told twice")


def _texts(finding: Diagnostic) -> Iterator[str]:
    yield finding.message
    yield finding.help or ""
    yield finding.label
    yield from finding.notes


def _spans(finding: Diagnostic) -> Iterator[Span]:
    if finding.span is not None:
        yield finding.span
    yield from (label.span for label in finding.related)


def _judge_span(span: Span, lines: list[str] | None, finding: Diagnostic) -> None:
    """Hold a span to the text; of a file that could not be decoded only its numbers are known."""
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    if min(*start, *end) < 1 or end < start:
        raise BrokenPromiseError(f"{span} to {end} is no stretch of text: {finding.message}")
    if lines is None:
        return
    if span.end_line > len(lines):
        raise BrokenPromiseError(f"{span} to {end} ends after the last line, {len(lines)}: {finding.message}")
    for line, column in (start, end):
        if column > len(lines[line - 1]) + 1:
            raise BrokenPromiseError(f"{span} to {end} lies outside line {line}: {finding.message}")
