"""`--output json` of every command that works without a run: what it prints is what its schema says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command

from doraflow.cli.main import app
from doraflow.printed.schemas import COMMANDS, LINES, file_of, schema_of, schema_text
from tests import commands
from tests.outputs import told

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_DATA = {
    "top": "a screen, which refuses to go anywhere else",
    "keys check": "tells findings alone",
    "verify": "tells findings alone",
    "lsp": "speaks a protocol of its own",
    "schema": "prints JSON in any case",
}
FLOW = "name: flow\nnodes:\n  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/5}, outputs: [x]}\n"
FLOW += "  - {id: b, path: b.py, inputs: {y: a/x}}\n"


def doraflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / ".cache"), "DORAFLOW_RUN_BASE": str(cwd / "runs")}
    return commands.doraflow(*arguments, cwd=cwd, env=environment)


def commands_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


ALL = dict(commands_of(get_command(app)))


def test_every_command_prints_json_or_says_why_not() -> None:
    assert {*COMMANDS, *WITHOUT_DATA} == set(ALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_form_is_chosen_alike_everywhere(command: str) -> None:
    (option,) = [each for each in ALL[command].params if "--format" in each.opts]
    assert ("--output" in option.opts) is (command != "new node"), "there `--output` is one of the node"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_committed_schema_is_current_and_one_itself(command: str) -> None:
    text = (ROOT / "schema/output" / file_of(command)).read_text()
    assert text == schema_text(command), "run `doit schema`"
    Draft202012Validator.check_schema(json.loads(text))


def test_no_schema_is_left_of_a_command_that_is_gone() -> None:
    assert {path.name for path in (ROOT / "schema/output").iterdir()} == {file_of(command) for command in COMMANDS}


def test_the_schema_of_a_command_is_printed(tmp_path: Path) -> None:
    assert doraflow("schema", "--output-of", "new node", cwd=tmp_path).stdout == schema_text("new node")
    done = doraflow("schema", "--output-of", "statsu", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: `statsu` prints no JSON\n\nhint: write one of `status`, `init`, ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init", "robot", "--yes"], 0),
        (["init", "fresh", "--yes", "--from", "robot"], 0),
        (["check", "flow.yml"], 1),
        (["check", "flow.yml", "--no-sources"], 0),
        (["build", "flow.yml"], 1),
        (["build", "sound.yml"], 0),
        (["graph", "flow.yml"], 0),
        (["plan", "flow.yml"], 0),
        (["expand", "flow.yml"], 0),
        (["migrate", "flow.yml"], 0),
        (["migrate", "old.yml", "--check"], 1),
        (["list"], 0),
        (["explain"], 0),
        (["explain", "df204"], 0),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else str(given),
)
def test_what_is_printed_is_what_the_schema_says(arguments: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "sound.yml").write_text("name: sound\nnodes: [{id: a, path: a.py}]\n")
    (tmp_path / "a.py").write_text("")
    (tmp_path / "old.yml").write_text("nodes: [{id: a, custom: {source: a.py}}]\n")
    done = doraflow(*arguments, "--output", "json", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert told(arguments[0], done.stdout)


def test_files_and_texts_stand_in_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "dataflow.yml").write_text(FLOW)
    (tmp_path / "old.yml").write_text("nodes: [{id: a, custom: {source: a.py}}]\n")
    done = doraflow("new", "node", "c", "--input", "y=a/x", "--format", "json", cwd=tmp_path)
    assert told("new node", done.stdout) == [{"version": 1, "files": ["dataflow.yml", "c.py"]}], done.stderr
    (graph,) = told("graph", doraflow("graph", "dataflow.yml", "--output", "json", cwd=tmp_path).stdout)
    assert graph["edges"][:2] == [
        {"source": "dora/timer/hz/5", "output": "", "node": "a", "input": "tick", "type": None},
        {"source": "a", "output": "x", "node": "b", "input": "y", "type": None},
    ]
    (moved,) = told("migrate", doraflow("migrate", "-i", "old.yml", "--output", "json", cwd=tmp_path).stdout)
    assert moved["is_written"]
    assert moved["text"] == (tmp_path / "old.yml").read_text()
    (machine,) = told("doctor", doraflow("doctor", "--output", "json", cwd=tmp_path).stdout)
    assert [check["check"] for check in machine["checks"]][:1] == ["python"]


def test_what_signs_says_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text("name: flow\nnodes: [{id: a, path: a.py}]\n")
    (tmp_path / "a.py").write_text("")
    done = doraflow("keys", "signing", "release.key", "--output", "json", cwd=tmp_path)
    assert told("keys signing", done.stdout) == [{"version": 1, "files": ["release.key.pub"]}], done.stderr
    assert doraflow("build", "flow.yml", "-o", "bundle", cwd=tmp_path).returncode == 0
    done = doraflow("sign", "bundle", "--key", "release.key", "--output", "json", cwd=tmp_path)
    (signed,) = told("sign", done.stdout)
    assert all((tmp_path / file).is_file() for file in signed["files"])


def test_a_run_prints_a_line_for_everything(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text("name: flow\nnodes: [{id: a, path: a.py}]\n")
    (tmp_path / "a.py").write_text("import logging\nfrom dora import Node\nNode()\nlogging.warning('x')\nexit(3)\n")
    done = doraflow("run", "flow.yml", "--output", "json", "--log-dir", "logs", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    lines = told("run", done.stdout)
    assert {line["type"] for line in lines} == {"log", "event", "diagnostic"}
    records = told("logs", doraflow("logs", "--run", "./logs", "--output", "json", cwd=tmp_path).stdout)
    assert [record["message"] for record in records] == ["x"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_that_is_missing_is_seen(command: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        told(command, "{}")


def test_lines_are_those_of_commands() -> None:
    assert set(LINES) < set(COMMANDS)
    assert schema_of("logs")["title"] == "a line of `doraflow logs --output json`"
