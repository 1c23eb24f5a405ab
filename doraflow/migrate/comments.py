"""Comments of a round-trip document, moved with what they stand at.

ruamel.yaml keeps a comment with the value before it: what follows a value up to the next one, blank lines and whole
comment lines too, is one token. Nothing here changes a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

if TYPE_CHECKING:
    from collections.abc import Iterator

# The slots of ruamel's list of comments at a key: lines before it, what follows its value, and the lines between it
# and a collection that begins below.
BEFORE, AFTER = 1, 2
_INDENT = re.compile(r"^ *", re.MULTILINE)


def comment_lines(value: object) -> list[str]:
    """List the comment lines in a document or a part of it, without their indent."""
    lines = (line.strip() for token in _tokens(value) for line in token.value.split("\n"))
    return [line for line in lines if line.startswith("#")]


def _tokens(value: object) -> Iterator[CommentToken]:
    """List the comment tokens inside a collection, each once."""
    seen: dict[int, CommentToken] = {}
    for token in _all_tokens(value):
        seen.setdefault(id(token), token)
    yield from seen.values()


def _all_tokens(value: object) -> Iterator[CommentToken]:
    if isinstance(value, CommentedMap):
        yield from _flat(value.ca.comment)
        for key, inner in value.items():
            yield from _flat(value.ca.items.get(key))
            yield from _all_tokens(inner)
        yield from _flat(value.ca.end)
    elif isinstance(value, CommentedSeq):
        yield from _flat(value.ca.comment)
        for position, inner in enumerate(value):
            yield from _flat(value.ca.items.get(position))
            yield from _all_tokens(inner)
        yield from _flat(value.ca.end)


def _flat(held: object) -> Iterator[CommentToken]:
    if isinstance(held, CommentToken):
        yield held
    elif isinstance(held, list):
        for item in held:
            yield from _flat(item)


def dedent(value: object, columns: int, least: int) -> None:
    """Move the comment lines inside a collection to the left, as far as they stand at `least` columns or further."""

    def moved(match: re.Match[str]) -> str:
        return match[0][columns:] if len(match[0]) >= least else match[0]

    for token in _tokens(value):
        first, newline, rest = token.value.partition("\n")
        token.value = first + newline + _INDENT.sub(moved, rest)
        shift(token, -columns)


def shift(token: CommentToken, columns: int) -> None:
    """Move the column of a comment that stands behind a value, as far as the value allows."""
    if token.start_mark is not None:
        token.start_mark.column = max(0, token.start_mark.column + columns)


def move(source: CommentedMap, key: str, target: CommentedMap, to: str) -> None:
    """Give the comments at `key` of one mapping to the key `to` of another."""
    if key in source.ca.items:
        target.ca.items[to] = source.ca.items.pop(key)


def take(mapping: CommentedMap, key: str) -> list[Any]:
    """Take away the comments at a key: ruamel's list of four, which is empty where there are none."""
    held: list[Any] = mapping.ca.items.pop(key, None) or [None] * 4
    return held


def head_lines(held: list[Any], inner: CommentedMap) -> list[str]:
    """List the comment lines between a key, where `held` stands, and the first entry of its mapping."""
    tokens = {id(token): token for token in (*_flat(held), *_flat(inner.ca.comment))}
    return [line.strip() for token in tokens.values() for line in token.value.split("\n") if line.strip()]


def put_before(mapping: CommentedMap, key: str, lines: list[str]) -> None:
    """Put comment lines before a key."""
    if lines:
        held = mapping.ca.items.setdefault(key, [None] * 4)
        fresh = [CommentToken(f"{line}\n", CommentMark(mapping.lc.col or 0)) for line in lines]
        held[BEFORE] = [*fresh, *(held[BEFORE] or [])]


def put_after(mapping: CommentedMap, key: str, text: str) -> None:
    """Let a text of comment lines and blank lines follow the line of a key, whose value is no collection of lines."""
    if text:
        held = mapping.ca.items.setdefault(key, [None] * 4)
        if held[AFTER] is None:
            held[AFTER] = CommentToken("\n", CommentMark(0))
        held[AFTER].value = held[AFTER].value.rstrip("\n") + "\n" + text


def take_over(mapping: CommentedMap, key: str, value: object) -> None:
    """Let the last comment of a collection, with the lines that follow it, stand at the key that it stood under."""
    tokens = list(_tokens(value))
    if tokens:
        held = mapping.ca.items.setdefault(key, [None] * 4)
        tokens[-1].start_mark.column = 0
        held[AFTER] = tokens[-1]


def split_after(token: CommentToken) -> str:
    """Cut a token after its first line, and give the rest."""
    first, _, rest = token.value.partition("\n")
    token.value = f"{first}\n"
    return str(rest)
