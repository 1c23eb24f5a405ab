"""The `args` of a node: one text, split into words as a POSIX shell would, with nothing expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.command_line import shown_syntax, split_words, syntax_in_arguments

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink, Span


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
    found = syntax_in_arguments(words)
    if found is not None:
        sink.warning(
            "DF603",
            f"`args` of `{node}` holds {shown_syntax(found)}, but no shell reads it: the program gets it as it stands",
            span,
            help="to have a shell read it, write `path: shell` and put the whole command line into `args`",
        )
    return tuple(word.text for word in words)
