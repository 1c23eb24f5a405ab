"""What a shell proposes while a command is typed: codes, runs, nodes of a run, profiles, presets.

Each function answers at every press of a key, so it imports what it needs and reads one small file at most; where
something cannot be read there is nothing to propose, and nothing is said.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads the type of a function's parameters while it runs

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_READ = 4 * 2**20


def codes(incomplete: str) -> list[tuple[str, str]]:
    """Propose the codes of findings, with what they mean."""
    from doraflow.codes import CODES

    wanted = incomplete.upper()
    return [(code, meaning) for code, meaning in CODES.items() if code.startswith(wanted)]


def targets(incomplete: str) -> list[str]:
    """Propose the engines that a bundle can be handed to."""
    from doraflow.target_registry import target_names

    return [name for name in target_names() if name.startswith(incomplete)]


def runs(incomplete: str) -> list[tuple[str, str]]:
    """Propose the runs of this user that go on, with their dataflows."""
    from doraflow.operate.choosing import known_runs

    try:
        found = known_runs()
    except OSError:
        return []
    return [(run.name, run.facts.dataflow) for run in found if run.is_alive and run.name.startswith(incomplete)]


def logged_runs(incomplete: str) -> list[str]:
    """Propose the names of runs that have logs, the newest first, and of their dataflows."""
    from doraflow.logs.folders import known_runs, state_folder

    found = known_runs(state_folder(os.environ))
    return _beginning(
        dict.fromkeys(name for run in found for name in (run.given_name, run.dataflow) if name), incomplete
    )


def logged_nodes(context: typer.Context, incomplete: str) -> list[str]:
    """Propose the nodes of the run that `doraflow logs` means."""
    from doraflow.logs.folders import find_run, state_folder

    found = find_run(state_folder(os.environ), context.params.get("run"))
    return _beginning(found.nodes, incomplete) if found is not None else []


def nodes(context: typer.Context, incomplete: str) -> list[str]:
    """Propose the nodes of the run that the command names, or of all runs that go on."""
    from doraflow.operate.choosing import known_runs

    named = context.params.get("run")
    try:
        found = [run for run in known_runs() if run.is_alive and (not named or named in (run.name, run.facts.dataflow))]
    except OSError:
        return []
    names = (name for run in found for name in _nodes_of(Path(run.facts.bundle), run.facts.host))
    return _beginning(dict.fromkeys(names), incomplete)


def profiles(context: typer.Context, incomplete: str) -> list[str]:
    """Propose the profiles of the dataflow that the command names."""
    from doraflow.diagnostics import Sink
    from doraflow.parser.compose import compose
    from doraflow.parser.syntax import MappingNode

    file = context.params.get("file")
    text = _text(Path(str(file))) if file is not None else None
    tree = compose(text, str(file), Sink()) if text is not None else None
    found = tree.get("profiles") if isinstance(tree, MappingNode) else None
    return _beginning((entry.key.text for entry in found.entries), incomplete) if isinstance(found, MappingNode) else []


def presets(incomplete: str) -> list[tuple[str, str]]:
    """Propose what a project can begin with."""
    from doraflow.scaffold.presets import PRESETS

    return [(name, told) for name, told in PRESETS.items() if name.startswith(incomplete)]


def printing_commands(incomplete: str) -> list[str]:
    """Propose the commands that print JSON."""
    from doraflow.printed.schemas import COMMANDS

    return _beginning(COMMANDS, incomplete)


def _nodes_of(bundle: Path, host: str) -> list[str]:
    text = _text(bundle / "wiring" / f"{host}.json")
    try:
        told = json.loads(text) if text is not None else None
    except ValueError:
        return []
    match told:
        case {"nodes": [*found]}:
            return [str(node["id"]) for node in found if isinstance(node, dict) and "id" in node]
    return []


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8") as stream:
            return stream.read(LARGEST_READ)
    except (OSError, ValueError):
        return None


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
