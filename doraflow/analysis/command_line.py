r"""Command lines that no shell reads: their words, and the shell syntax that would reach the program as it stands.

The rules are those of the splitter that dora uses. Python's `shlex` differs in two: it keeps the backslash of `"\$"`,
and knows comments either nowhere or inside words too. What is found is told in `doraflow.analysis.arguments` and
`doraflow.analysis.build_commands`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BETWEEN = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_PIECE = re.compile(
    r"""(?P<plain>[^ \t\n"'\\]+)|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)""", re.DOTALL
)
_ESCAPE_IN_QUOTES = re.compile(r'\\([$`"\\\n])')
_MASKED_IN_QUOTES = re.compile(r"\\.|[;|&<>~]", re.DOTALL)

# What a shell would act on. A `;`, `&` or `|` inside a word is left alone: addresses and filters hold them.
_SHELL_SYNTAX = re.compile(
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


def filled_words(command: str, environment: Mapping[str, str]) -> list[str] | None:
    """Split a build command, and fill in the variables that are known; None if a quote is not closed.

    >>> filled_words("make -j $JOBS 'a b' $X  # all", {"JOBS": "4"})
    ['make', '-j', '4', 'a b', '$X']
    """
    words = split_words(command)
    return None if words is None else [Template(word.text).safe_substitute(environment) for word in words]


def syntax_in_arguments(words: Sequence[Word]) -> str | None:
    """Find what only a shell would understand in the arguments of a program; None if there is nothing."""
    return next((match[0] for word in words if (match := _SHELL_SYNTAX.search(word.bare))), None)


def syntax_in_command(words: Sequence[Word]) -> str | None:
    """Find what only a shell would understand in a build command, where variables are filled in without one."""
    # What `sh -c` is given, the shell reads.
    has_shell = any(word.text == "-c" for word in words)
    for word in words:
        for match in _SHELL_SYNTAX.finditer(word.bare):
            expansion = match["expansion"]
            if expansion is None or (expansion in ("$(", "`") and not has_shell):
                return match[0]
    return None


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
