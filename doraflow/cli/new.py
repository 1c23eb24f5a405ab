"""`doraflow new node`: a node added to a dataflow, with its script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.loudness import Commands
from doraflow.cli.manual import epilog_of, help_of
from doraflow.cli.outputs import TextOutput, tell_written

if TYPE_CHECKING:
    from doraflow.pipeline import Compilation
    from doraflow.scaffold.addition import Addition
    from doraflow.scaffold.answers import NodeAnswer

app = Commands(no_args_is_help=True, help="Add something to a dataflow.")


@app.callback()
def new() -> None:
    """Add something to a dataflow.

    Example: doraflow new node planner --input image=camera/image
    """


def node(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new node's id.", show_default=False)],
    file: Annotated[
        Path, typer.Option("--in", metavar="FILE", help="The dataflow to add it to.", readable=False)
    ] = Path("dataflow.yml"),
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=SOURCE", help="An input and what it reads.", show_default=False),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", metavar="NAME[:TYPE]", help="An output and its type.", show_default=False),
    ] = None,
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="The machine it runs on.", show_default=False)
    ] = None,
    form: Annotated[
        TextOutput, typer.Option("--format", help="Text for people, or JSON with stable keys for scripts.")
    ] = TextOutput.TEXT,
) -> None:
    """Add a node to the end of a dataflow's list, with a script that uses its stub.

    Every other line of the dataflow stays as it is, comments too. Nothing is overwritten, and if the dataflow would
    have errors nothing is written.

    Example: doraflow new node planner --input image=camera/image --output twist:Twist
    """
    from doraflow.cli.report import fail, show_findings, write_findings
    from doraflow.diagnostics import Sink
    from doraflow.parser.text import read
    from doraflow.scaffold.addition import added

    wanted = _wanted(name, inputs or [], outputs or [], machine or "")
    sink = Sink()
    text = read(file, file.as_posix(), sink)
    addition = None if text is None else added(text, file.as_posix(), wanted, sink)
    if text is None or addition is None:
        write_findings(sink.diagnostics(), {file.as_posix(): text or ""})
        if sink.has_errors:
            raise typer.Exit(1)
        fail(f"no node can be added to `{file}`", "write its `nodes` as a list with a line for each `- id:`")
    made = _checked(file, addition)
    if made.graph is None or made.sink.has_errors:
        show_findings(made)
        fail(f"`{file}` stays as it is", "mend what is told above, and run it again")
    tell_written(_write(file, addition, made, name), form)
    show_findings(made)


app.command("node", help=help_of(node), epilog=epilog_of("new node", node))(node)


def _wanted(name: str, inputs: list[str], outputs: list[str], machine: str) -> NodeAnswer:
    from doraflow.cli.report import fail
    from doraflow.scaffold.answers import NodeAnswer
    from doraflow.scaffold.reading import AnswerError, read_inputs, read_nodes, read_outputs

    try:
        read_nodes(name)
        return NodeAnswer(name, read_inputs(" ".join(inputs)), read_outputs(" ".join(outputs)), machine)
    except AnswerError as error:
        fail(str(error), "see `doraflow new node --help`", code=2)


def _checked(file: Path, addition: Addition) -> Compilation:
    from doraflow.pipeline import Options, check

    return check(file, Options(check_sources=False, unsaved={file.as_posix(): addition.text}))


def _write(file: Path, addition: Addition, made: Compilation, name: str) -> list[Path]:
    """Write the script, then the dataflow; the script is taken back if the dataflow cannot be written.

    Gives the paths of both.
    """
    from doraflow.build.fresh import InTheWayError, replace_text, write_fresh
    from doraflow.cli.report import fail
    from doraflow.codegen.fileset import FileSet
    from doraflow.scaffold.skeletons import skeleton_files

    skeletons = skeleton_files(made.graph, [name]) if made.graph is not None else []
    try:
        write_fresh(FileSet.of(skeletons), file.parent)
        try:
            replace_text(file, addition.text)
        except OSError:
            for skeleton in skeletons:
                (file.parent / skeleton.path).unlink(missing_ok=True)
            raise
    except InTheWayError as error:
        fail(f"`{error}` is there already, and would have to be overwritten", "choose another id, or move that file")
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        fail(f"nothing was added: `{error.filename or file}`: {cause}", "get the right to write there")
    return [file, *(file.parent / skeleton.path for skeleton in skeletons)]
