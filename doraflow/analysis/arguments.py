r"""The `args` of a node: one text, split into words as a POSIX shell would, with nothing expanded.

The rules are those of the splitter that dora uses. Python's `shlex` differs in two: it keeps the backslash of `"\$"`,
and knows comments either nowhere or inside words too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink, Span

_BETWEEN = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_PIECE = re.compile(
    r"""(?P<plain>[^ \t\n"'\\]+)|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)""", re.DOTALL
)
_ESCAPE_IN_QUOTES = re.compile(r'\\([$`"\\\n])')
_MASKED_IN_QUOTES = re.compile(r"\\.|[;|&<>~]", re.DOTALL)

# What a shell would act on. A `;`, `&` or `|` inside a word is left alone: addresses and filters hold them.
SHELL_SYNTAX = re.compile(
    r"""
      (?P<expansion> \$\( | ` | \$\{?(?!PARAM_)[A-Za-z_]\w*\}? )
    | (?P<operator>  ^(?: \|\|? | &&? | ; | < | \d?>&\d )$ )
    | (?P<redirect>  ^(?: \d | & )? >>? )
    | (?P<end>       ;$ )
    | (?P<home>      ^~(?=/|$) )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command line; in `bare` the characters that quotes protect from a shell are masked by `_`."""

    text: str
    bare: str


def split_words(text: str) -> tuple[Word, ...] | None:
    """Split a command line into words; None if a quote is not closed.

    >>> [word.text for word in split_words("--name 'front camera' --rate 30  # fast")]
    ['--name', 'front camera', '--rate', '30']
    """
    words = []
    position = _end_of_gap(text, 0)
    while position < len(text):
        pieces = []
        while piece := _PIECE.match(text, position):
            pieces.append(_word(piece))
            position = piece.end()
        if position < len(text) and text[position] not in " \t\n":
            return None
        words.append(Word("".join(piece.text for piece in pieces), "".join(piece.bare for piece in pieces)))
        position = _end_of_gap(text, position)
    return tuple(words)


def read_arguments(node: str, text: str, span: Span, sink: Sink) -> tuple[str, ...]:
    """Split the `args` of a node, and tell what is wrong with them."""
    words = split_words(text)
    if words is None:
        sink.error(
            "DF115",
            f"the quotes in `args` of `{node}` are not balanced, so the arguments cannot be told apart",
            span,
            help="close the quote, or write `\\` before a quote that is part of an argument",
        )
        return ()
    found = next((match for word in words if (match := SHELL_SYNTAX.search(word.bare))), None)
    if found is not None:
        sink.warning(
            "DF603",
            f"`args` of `{node}` holds {shown_syntax(found[0])}, but no shell reads it: "
            "the program gets it as it stands",
            span,
            help="to have a shell read it, write `path: shell` and put the whole command line into `args`",
        )
    return tuple(word.text for word in words)


def shown_syntax(found: str) -> str:
    """Put a piece of shell syntax into words for a message."""
    return "a backquote" if found == "`" else f"`{found}`"


def _end_of_gap(text: str, position: int) -> int:
    gap = _BETWEEN.match(text, position)
    return gap.end() if gap else position


def _word(piece: re.Match[str]) -> Word:
    if piece["plain"] is not None:
        return Word(piece["plain"], piece["plain"])
    if piece["single"] is not None:
        return Word(piece["single"], "_" * len(piece["single"]))
    if piece["double"] is not None:
        text = _ESCAPE_IN_QUOTES.sub(lambda escape: escape[1].strip("\n"), piece["double"])
        return Word(text, _MASKED_IN_QUOTES.sub("_", piece["double"]))
    return Word("", "") if piece["escaped"] == "\n" else Word(piece["escaped"], "_")
