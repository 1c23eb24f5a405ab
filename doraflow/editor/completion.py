"""Completion: what may be written at the cursor, by the place in the file and by the names of the dataflow.

The place comes from the lines (`doraflow.editor.context`), so an unfinished line does no harm; names come from the text
with that line emptied, or from the last state of the file that could be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from doraflow.diagnostics import Span
from doraflow.editor.choices import Surroundings, port_keys, value_choices
from doraflow.editor.context import context_at
from doraflow.editor.snapshot import read_outline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow.editor.context import Context
    from doraflow.editor.outline import Outline
    from doraflow.editor.positions import Place
    from doraflow.editor.snapshot import Snapshot
    from doraflow.editor.vocabulary import Key, Vocabulary

MOST_COMPLETIONS = 1000
"""Of more than this only those are given that hold what was typed, so that the editor has to ask again."""

LARGEST_REPAIRED = 100_000
"""Longer texts are not read again for a completion: names come from the last snapshot alone."""


class CompletionKind(StrEnum):
    """What a completion is, for the icon."""

    KEY = "key"
    WORD = "word"
    NAME = "name"
    TYPE = "type"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Completion:
    """Something to write in the place of `span`."""

    label: str
    kind: CompletionKind
    span: Span
    new_text: str
    detail: str = ""
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A file as it is being edited, and what is known of it: `snapshot` may be older or None."""

    file: str
    text: str
    folder: Path
    vocabulary: Vocabulary
    snapshot: Snapshot | None = None


def complete(asked: Asked, place: Place) -> list[Completion]:
    """List what may be written at a place, the likeliest first."""
    context = context_at(asked.text, place)
    if context is None:
        return []
    span = Span(asked.file, place.line, context.column, place.line, context.end_column)
    found = list(_values(asked, place, context, span)) if context.is_value else []
    if context.is_key and not found:
        found = list(_keys(asked, place, context, span))
    if len(found) > MOST_COMPLETIONS:
        found = [each for each in found if context.typed.lower() in each.label.lower()][:MOST_COMPLETIONS]
    return found


def _values(asked: Asked, place: Place, context: Context, span: Span) -> Iterator[Completion]:
    if asked.vocabulary.is_map(context.path) and not asked.vocabulary.is_list(context.path) and context.is_key:
        return
    for choice in value_choices(context, _surroundings(asked, place)):
        kind = CompletionKind(choice.kind)
        yield Completion(choice.text, kind, span, choice.text, choice.detail, choice.documentation)
    for word in asked.vocabulary.words(context.path):
        yield Completion(word, CompletionKind.WORD, span, word)


def _keys(asked: Asked, place: Place, context: Context, span: Span) -> Iterator[Completion]:
    for key in asked.vocabulary.keys(context.path):
        if key.name not in context.siblings and not key.deprecated:
            new_text = key.name if context.has_colon else f"{key.name}:{'' if key.holds_many else ' '}"
            detail = "required" if key.required else ""
            yield Completion(key.name, CompletionKind.KEY, span, new_text, detail, key_documentation(key))
    for choice in port_keys(context, _surroundings(asked, place)):
        if choice.text not in context.siblings:
            new_text = choice.text if context.has_colon else f"{choice.text}: "
            yield Completion(choice.text, CompletionKind.NAME, span, new_text, choice.detail)


def key_documentation(key: Key) -> str:
    """Describe a key in Markdown: what it is for, the words that its value may be, and its default."""
    parts = [key.description]
    if key.words:
        parts.append(f"One of {', '.join(f'`{word}`' for word in key.words)}.")
    if key.default is not None:
        parts.append(f"Default: `{key.default}`.")
    return "\n\n".join(part for part in parts if part)


def _surroundings(asked: Asked, place: Place) -> Surroundings:
    snapshot = asked.snapshot
    outlines = dict(snapshot.outlines) if snapshot is not None else {}
    around = _repaired(asked, place) or outlines.get(asked.file)
    if around is not None:
        outlines[asked.file] = around
    return Surroundings(asked.folder, place, around, outlines, snapshot)


def _repaired(asked: Asked, place: Place) -> Outline | None:
    """Outline the text without what is being written on the cursor's line."""
    if len(asked.text) > LARGEST_REPAIRED:
        return None
    lines = asked.text.split("\n")
    line = lines[place.line - 1]
    for attempt in (line, _without_value(line), ""):
        lines[place.line - 1] = attempt
        made = read_outline("\n".join(lines), asked.file)
        if made is not None:
            return made
    return None


def _without_value(line: str) -> str:
    """Keep of a line what holds the structure of the file: its indentation, dashes and key."""
    body = line.lstrip(" -")
    head = line[: len(line) - len(body)]
    key, colon, _ = body.partition(": ")
    return f"{head}{key}:" if colon and "{" not in key else head.rstrip(" ")
