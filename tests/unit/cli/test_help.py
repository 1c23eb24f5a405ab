"""The help of every command: whole, true, and with examples that are understood."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from doraflow.cli import manual
from doraflow.cli.main import app
from tests.unit.cli.test_completion import doraflow
from tests.unit.test_output_schemas import ALL

ROOT = Path(__file__).resolve().parents[3]
NAMES = list(manual.MANUALS)


def callback(name: str) -> Any:
    return ALL[name].callback.__wrapped__


def test_every_command_has_a_manual() -> None:
    assert set(NAMES) == {name for name in ALL if not name.startswith("keys ")}


@pytest.mark.parametrize("name", list(ALL))
def test_the_examples_are_understood(name: str) -> None:
    examples = manual.examples_of(name, callback(name))
    assert examples[0].startswith(f"doraflow {name}")
    for example in examples:
        command, _, _ = example.partition(" > ")
        program, *arguments = shlex.split(command)
        assert program == "doraflow"
        words = name.split()
        assert arguments[: len(words)] == words
        get_command(app).make_context("doraflow", [*arguments])
        ALL[name].make_context(name, arguments[len(words) :])


def test_an_example_that_is_wrong_is_seen() -> None:
    with pytest.raises(Exception, match="--nothing"):
        ALL["check"].make_context("check", ["f.yml", "--nothing"])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_related_exists(name: str) -> None:
    assert set(manual.MANUALS[name].see_also) <= set(ALL) - {name}


@pytest.mark.parametrize("variable", list(manual.VARIABLES))
def test_a_variable_is_read_somewhere(variable: str) -> None:
    files = [*(ROOT / "doraflow").rglob("*.py"), *(ROOT / "runtime").rglob("*.py")]
    assert [path for path in files if path.name != "manual.py" and variable in path.read_text()]


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_help_shows_examples_exit_codes_environment_and_relatives(width: str) -> None:
    done = doraflow("logs", "--help", COLUMNS=width, TERM="dumb")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= int(width)
    for part in ("Examples", "$ doraflow logs --follow", "Exit codes", "Environment", "XDG_STATE_HOME", "See also"):
        assert part in done.stdout, part
    assert "Example:" not in done.stdout


def test_the_help_of_a_command_in_a_group_is_as_whole() -> None:
    shown = doraflow("new", "node", "--help").stdout
    assert "$ doraflow new node planner --in robot/dataflow.yml --machine edge" in shown
    assert "name:Type" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            f"{name} FILE --inventory FILE"
            for name in ("check", "build", "plan", "lock", "graph", "deploy", "doctor", "run")
        ),
        "keys make FILE --inventory FILE",
        "migrate FILE",
        "new node x --in FILE",
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding_and_no_wrong_usage(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "flow.yml"
    file.touch()
    words = arguments.replace("FILE", str(file)).split()
    name = " ".join(words[:2]) if words[0] in ("keys", "new") else words[0]
    monkeypatch.setattr(os, "access", lambda *_: False)  # what the command line asks; the super-user may read all
    ALL[name].make_context(name, words[len(name.split()) :])
