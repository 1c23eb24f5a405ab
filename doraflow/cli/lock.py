"""`doraflow lock`: the lock file brought up to date, or held against the dataflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import File, Inventory, Profile
from doraflow.cli.outputs import TextOutput, TextOutputOption, tell_written

if TYPE_CHECKING:
    from doraflow.pipeline import Compilation


def lock(
    file: File,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the lock is out of date.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Place all nodes anew, whatever the lock says.")] = False,
    update_node: Annotated[
        list[str] | None,
        typer.Option("--update-node", metavar="NODE", help="Place this node anew; may be given several times."),
    ] = None,
    inventory: Inventory = None,
    profile: Profile = None,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Pin where nodes are placed, and the files that a dataflow reads, in the lock beside it.

    A node that is pinned stays where it is as long as its machine can take it, whatever else changes. `doraflow build`
    does the same where machines are chosen. Commit the file.

    Example: doraflow lock dataflow.yml --inventory machines.yml --update-node detector
    """
    from doraflow.cli.report import exit_code, show_findings
    from doraflow.pipeline import LockUse, Options
    from doraflow.pipeline import check as check_file

    if check and (update or update_node):
        raise typer.BadParameter("--check writes nothing, and --update and --update-node ask for a change")
    use = LockUse.LOCKED if check else LockUse.ANEW if update else LockUse.KEPT
    options = Options(
        check_sources=False, inventory=inventory, profile=profile, lock=use, freed=frozenset(update_node or ())
    )
    made = check_file(file, options)
    _refuse_unknown(made, update_node or ())
    if not made.sink.has_errors:
        if check:
            _check(made)
        else:
            _write(made, output)
    show_findings(made)
    raise typer.Exit(exit_code(made))


def _refuse_unknown(made: Compilation, nodes: list[str] | tuple[str, ...]) -> None:
    known = [node.id for node in made.graph.nodes] if made.graph is not None else []
    for node in nodes if made.graph is not None else ():
        if node not in known:
            from doraflow.parser.suggest import choices_text

            listed = choices_text(node, tuple(known))
            raise typer.BadParameter(f"there is no node `{node}`; the nodes are {listed}", param_hint="--update-node")


def _check(made: Compilation) -> None:
    from doraflow.cli.locking import check_lock

    check_lock(made)


def _write(made: Compilation, output: TextOutput) -> None:
    from doraflow.build.lock_file import tell_unwritable, write_lock
    from doraflow.pipeline import new_lock

    wanted = new_lock(made, is_wanted=True)
    if wanted is None:
        typer.echo(f"{made.source}: there is nothing to pin", err=True)
        return
    path, text = wanted
    try:
        is_changed = write_lock(path, text)
    except OSError as error:
        tell_unwritable(path, error, made.sink.error, mend="make its folder writable")
        return
    if is_changed or output is TextOutput.JSON:
        tell_written([path] if is_changed else [], output)
    else:
        typer.echo(f"{path}: up to date", err=True)
