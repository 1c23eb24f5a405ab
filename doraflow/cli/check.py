"""`doraflow check`: all findings of a dataflow, without running or writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import (
    Form,
    Format,
    Frozen,
    Inventory,
    Locked,
    NoCache,
    Profile,
    ProgressForm,
    Strict,
    StrictTypes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.pipeline import Compilation, Options


def check(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="The dataflow, such as `dataflow.yml`, or several that run together.",
            readable=False,
        ),
    ],
    form: Format = Form.TEXT,
    strict: Strict = False,
    no_sources: Annotated[
        bool, typer.Option("--no-sources", help="Check the dataflow alone, not whether the files it names exist.")
    ] = False,
    inventory: Inventory = None,
    profile: Profile = None,
    strict_types: StrictTypes = False,
    locked: Locked = False,
    frozen: Frozen = False,
    no_cache: NoCache = False,
) -> None:
    """Check a dataflow: names, types, loops, placement, sources.

    Every finding of the run is told at its line and column. Exit code 0 without errors, 1 with. Where nothing has
    changed since the last check, its result is told again. Of several dataflows it is checked too whether they can run
    side by side: whether their ports on shared hosts overlap.

    Example: doraflow check dataflow.yml --output json
    """
    from doraflow.cli.locking import lock_use
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.remembered import kept
    from doraflow.pipeline import Options

    def run() -> int:
        use = lock_use(locked=locked, frozen=frozen)
        options = Options(strict, not no_sources, inventory, profile, strict_types, lock=use)
        wanted = list(dict.fromkeys(files))
        return _check(wanted[0], form, options) if len(wanted) == 1 else _check_together(wanted, form, options)

    is_kept = not no_cache and loudness() is Loudness.NORMAL
    raise typer.Exit(kept(context.obj if is_kept else None, run))


def _check_together(files: Sequence[Path], form: Form, options: Options) -> int:
    from doraflow.analysis.shared_ports import check_shared_ports
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.report import Told, exit_code, tell
    from doraflow.diagnostics import Sink
    from doraflow.pipeline import check as check_file

    made = [check_file(file, options) for file in files]
    between = Sink(strict=any(each.sink.strict for each in made))
    check_shared_ports([each.graph for each in made if each.graph is not None and not each.sink.has_errors], between)
    found = [*(finding for each in made for finding in each.diagnostics()), *between.diagnostics()]
    texts = {name: text for each in made for name, text in each.all_texts().items()}
    tell(Told(found, texts, [ignored for each in made for ignored in each.ignored]), form)
    if form is Form.TEXT and loudness() is not Loudness.QUIET and not found:
        typer.echo(f"{len(made)} dataflows: {_count_of(made)} nodes, no findings", err=True)
    return 1 if between.has_errors or any(exit_code(each) for each in made) else 0


def _count_of(made: Sequence[Compilation]) -> int:
    return sum(len(each.graph.nodes) for each in made if each.graph is not None)


def _check(file: Path, form: Form, options: Options) -> int:
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.report import exit_code, tell_findings
    from doraflow.pipeline import check as check_file

    if loudness() is Loudness.VERBOSE:
        from doraflow.cli.building import checked
        from doraflow.cli.progress import progress_as

        made = checked(file, options, progress_as(ProgressForm.PLAIN))
    else:
        made = check_file(file, options)
    tell_findings(made, form)
    is_told = form is Form.TEXT and loudness() is not Loudness.QUIET
    if is_told and not made.diagnostics() and made.graph is not None:
        count = len(made.graph.nodes)
        typer.echo(f"{file}: {count} node{'' if count == 1 else 's'}, no findings", err=True)
    return exit_code(made)
