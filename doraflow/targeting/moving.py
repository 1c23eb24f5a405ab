"""What of a dataflow cannot be put into an image: sources that lie elsewhere, and what build steps leave behind.

On a machine of its own such a dataflow runs; in a container nothing of the machine is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.command_line import filled_words
from doraflow.analysis.lower import source_path
from doraflow.analysis.path_variables import begins_with_variable
from doraflow.codegen.pip_commands import asks_to_install, wishes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import BuildStep, Node, Plan


def tell_what_stays(plan: Plan, sink: Sink) -> None:
    """Report nodes whose sources no image can hold (DF866), and build steps whose results stay behind (DF867)."""
    for node in plan.graph.nodes:
        for path, span in _paths(node):
            if _lies_elsewhere(path):
                sink.error(
                    "DF866",
                    f"`{path}` of `{node.id}` lies outside the dataflow's folder, and the image holds nothing of this "
                    "machine: the node could not start",
                    span,
                    help="put the file into the dataflow's folder and name it relative to that, or build without this "
                    "target",
                )
    for step in plan.graph.builds:
        _tell_step(step, sink)
    for node in plan.graph.nodes:
        # What the build of a program writes is the program itself, and that is put into the bundle.
        if node.kind != "executable":
            for step in node.builds:
                _tell_step(step, sink)


def _tell_step(step: BuildStep, sink: Sink) -> None:
    left = [command for command in step.commands if not _is_taken_over(command, step)]
    if left:
        sink.warning(
            "DF867",
            f"`{left[0]}` of `{step.owner}` is run on this machine, and what it writes is not put into the image, but "
            "for files that the dataflow names",
            step.span,
            help="run it in a Dockerfile that begins with this image, or install with `pip install NAME` alone",
        )


def _is_taken_over(command: str, step: BuildStep) -> bool:
    """Tell whether a command does no more than ask for what `requirements.txt` asks for too."""
    words = filled_words(command, step.env)
    if not words:
        return True
    return asks_to_install(words) and all(
        wish.kind in ("package", "index", "file") and not wish.text.startswith((".", "/"))
        for wish in wishes(command, step.env)
    )


def _paths(node: Node) -> Iterator[tuple[str, Span]]:
    if node.kind in ("python", "executable"):
        yield source_path(node, node.path), node.path_span or node.span
    for operator in node.operators:
        yield source_path(node, operator.path), operator.path_span


def _lies_elsewhere(path: str) -> bool:
    return path.startswith(("/", "../", "~")) or begins_with_variable(path)
