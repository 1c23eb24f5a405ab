"""`doraflow doctor`: whether this machine can run dataflows, and how it could do so better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import Inventory, Profile
from doraflow.cli.outputs import Output, OutputOption, show

if TYPE_CHECKING:
    from doraflow.doctor.checks import Result
    from doraflow.doctor.facts import Tool

_STYLES = {"ok": "green", "advice": "yellow", "problem": "bold red"}


def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="A dataflow, whose build tools are looked for too.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
    inventory: Inventory = None,
    profile: Profile = None,
) -> None:
    """Check this machine: Python and its libraries, shared memory, limits, folders, clock, and what a build needs.

    Each check is `ok`, an `advice` or a `problem`, with what mends it. Nothing is changed. Exit code 1 if there is a
    problem.

    Example: doraflow doctor dataflow.yml --output json
    """
    from doraflow.doctor.checks import State, examine
    from doraflow.doctor.reading import read_facts

    results = examine(read_facts(_tools(file, inventory, profile) if file is not None else ()))
    checks = [
        {"check": result.name, "state": result.state.value, "found": result.found, "mend": result.mend or None}
        for result in results
    ]
    show(output, _table(results), {"version": 1, "checks": checks})
    if any(result.state is State.PROBLEM for result in results):
        raise typer.Exit(1)


def _tools(file: Path, inventory: Path | None, profile: str | None) -> tuple[Tool, ...]:
    from doraflow.cli.report import show_findings
    from doraflow.doctor.needs import needed_tools
    from doraflow.pipeline import Options, check

    made = check(file, Options(check_sources=False, inventory=inventory, profile=profile))
    if made.graph is None or made.sink.has_errors:
        show_findings(made)
        raise typer.Exit(1)
    return needed_tools(made)


def _table(results: tuple[Result, ...]) -> list[tuple[str, str]]:
    width = max(len(result.name) for result in results)
    pieces: list[tuple[str, str]] = []
    for result in results:
        pieces += [(f"{result.state:>7}", _STYLES[result.state]), (f"  {result.name:<{width}}  {result.found}\n", "")]
        if result.mend:
            pieces.append((f"{'':{width + 11}}{result.mend}\n", "bright_black"))
    counts = {state: sum(result.state == state for result in results) for state in ("problem", "advice")}
    pieces.append((f"\n{_counted(counts['problem'], 'problem')}, {_counted(counts['advice'], 'advice')}\n", "bold"))
    return pieces


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'s' if count != 1 and what != 'advice' else ''}"
