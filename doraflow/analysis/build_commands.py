"""Shell syntax in build commands, which are split into words and started without a shell.

Only what is certain to reach the program as it stands is told; whether a command works, its run tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.command_line import shown_syntax, split_words, syntax_in_command

if TYPE_CHECKING:
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
        found = syntax_in_command(split_words(command) or ())
        if found is not None:
            sink.warning(
                "DF603",
                f"`build` of `{step.owner}` holds {shown_syntax(found)}, but no shell reads it: "
                "the command gets it as it stands",
                step.span,
                help="write one command a line below `build: |`, or `sh -c '…'` around what a shell must read",
            )
            return
