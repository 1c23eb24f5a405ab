"""Shell syntax in build commands, which are split into words and started without a shell.

Only what is certain to reach the program as it stands is told; whether a command works, its run tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.arguments import SHELL_SYNTAX, shown_syntax, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.analysis.arguments import Word
    from doraflow.diagnostics import Sink
    from doraflow.ir import BuildStep, Graph


def check_build_commands(graph: Graph, sink: Sink) -> Graph:
    """Report the first command of each build step that needs a shell; the graph is returned as it is."""
    steps = (*graph.builds, *(step for node in graph.nodes for step in node.builds))
    for step in steps:
        _check(step, sink)
    return graph


def _check(step: BuildStep, sink: Sink) -> None:
    for command in step.commands:
        found = _needs_shell(split_words(command) or ())
        if found is not None:
            sink.warning(
                "DF603",
                f"`build` of `{step.owner}` holds {shown_syntax(found)}, but no shell reads it: "
                "the command gets it as it stands",
                step.span,
                help="write one command a line below `build: |`, or `sh -c '…'` around what a shell must read",
            )
            return


def _needs_shell(words: Sequence[Word]) -> str | None:
    # What `sh -c` is given, the shell reads; and variables are filled in without one.
    has_shell = any(word.text == "-c" for word in words)
    for word in words:
        for match in SHELL_SYNTAX.finditer(word.bare):
            expansion = match["expansion"]
            if expansion is None or (expansion in ("$(", "`") and not has_shell):
                return match[0]
    return None
