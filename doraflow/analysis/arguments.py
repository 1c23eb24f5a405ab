"""Arguments that look as if a shell would read them: none does, so the program gets them as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Node

_SHELL_SYNTAX = re.compile(r"\$\(|`|&&|\|\||(?:^|\s)(?:\||\d?>>?|<)(?:\s|$)|;(?:\s|$)")


def check_arguments(graph: Graph, sink: Sink) -> Graph:
    """Warn of shell syntax in `args`; the graph is returned as it is."""
    for node in graph.nodes:
        found = _shell_syntax(node)
        if found:
            sink.warning(
                "DF603",
                f"`args` of `{node.id}` holds `{found}`, but no shell reads it: the program gets it as it stands",
                node.args_span,
                help="remove it, or make the node a `path: shell` node whose `args` is the command line",
            )
    return graph


def _shell_syntax(node: Node) -> str | None:
    if node.kind == "shell":
        return None
    for argument in node.args:
        match = _SHELL_SYNTAX.search(argument)
        if match and " " not in argument.strip():
            return match[0].strip()
    return None
