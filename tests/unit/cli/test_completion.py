"""What a shell proposes, and what a command says that is not understood."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doraflow import __version__
from doraflow.cli import completion
from doraflow.cli.main import STAYING, app, needed
from doraflow.operate import choosing


def doraflow(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.argv[0] = 'doraflow'; from doraflow.cli.entry import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **more},
        capture_output=True,
        text=True,
        check=False,
    )


def run_of(folder: Path, name: str, *nodes: str) -> Any:
    bundle = folder / name
    (bundle / "wiring").mkdir(parents=True)
    (bundle / "wiring/local.json").write_text(json.dumps({"nodes": [{"id": node} for node in nodes]}))
    facts = SimpleNamespace(dataflow="vision", bundle=str(bundle), host="local")
    return SimpleNamespace(name=name, is_alive=True, facts=facts)


def context(**given: object) -> Any:
    return SimpleNamespace(params=given)


def test_codes_are_proposed_with_their_meaning() -> None:
    assert completion.codes("df604") == [("DF604", "a build command failed")]


def test_runs_and_their_nodes_are_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = (run_of(tmp_path, "night", "camera", "motors"), run_of(tmp_path, "noon", "camera", "arm"))
    monkeypatch.setattr(choosing, "known_runs", lambda: runs)
    assert completion.runs("ni") == [("night", "vision")]
    assert completion.nodes(context(run="noon"), "") == ["camera", "arm"]
    assert completion.nodes(context(run=None), "") == ["camera", "motors", "arm"]
    assert completion.nodes(context(), "ca") == ["camera"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"nodes": [1, {}]}', "\udcff"])
def test_a_bundle_that_cannot_be_read_proposes_nothing(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = run_of(tmp_path, "night")
    (tmp_path / "night/wiring/local.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    monkeypatch.setattr(choosing, "known_runs", lambda: (broken,))
    assert completion.nodes(context(), "") == []


def test_profiles_of_the_dataflow_are_proposed(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yml"
    flow.write_text("nodes: []\nprofiles:\n  simulation: {}\n  robot: {}\n")
    assert completion.profiles(context(file=flow), "sim") == ["simulation"]
    flow.write_text("nodes: [")
    assert completion.profiles(context(file=flow), "") == []
    assert completion.profiles(context(file=tmp_path / "none.yml"), "") == []
    assert completion.profiles(context(), "") == []


def test_presets_are_proposed() -> None:
    assert [name for name, _ in completion.presets("")] == ["hello", "pipeline", "robot"]


def test_a_shell_gets_proposals_while_a_command_is_typed() -> None:
    asked = {"_DORAFLOW_COMPLETE": "complete_bash", "COMP_WORDS": "doraflow explain DF60", "COMP_CWORD": "2"}
    assert doraflow(**asked).stdout.split() == ["DF601", "DF602", "DF603", "DF604", "DF605"]
    asked = {"_DORAFLOW_COMPLETE": "complete_bash", "COMP_WORDS": "doraflow che", "COMP_CWORD": "1"}
    assert doraflow(**asked).stdout.split() == ["check"]


def test_the_version_is_one_line() -> None:
    assert doraflow("--version").stdout == f"doraflow {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chek"], "No such command 'chek'"),
        (["check"], "Missing argument"),
        (["check", "f.yml", "--formt", "json"], "No such option: --formt"),
        (["check", "f.yml", "--format", "xml"], "'xml' is not one of"),
        (["build", "f.yml", "--jobs", "0"], "Invalid value for .--jobs. / .-j.".replace(".", chr(39))),
    ],
)
def test_what_is_not_understood_exits_2_and_says_what_is_meant(arguments: list[str], told: str) -> None:
    done = doraflow(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_a_command_is_read_alone_and_everything_else_whole() -> None:
    assert [command.name for command in needed(["check", "f.yml"]).registered_commands] == ["check"]
    assert needed(["--help"]) is needed([]) is needed(["new", "node"]) is needed(["chek"]) is app


BASH = """
eval "$(_DORAFLOW_COMPLETE=source_bash doraflow)"
function=$(complete -p doraflow | sed 's/.*-F \\([^ ]*\\).*/\\1/')
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $function doraflow; echo "${COMPREPLY[@]}"; }
ask doraflow explain DF60
ask doraflow logs --run ""
ask doraflow logs --run night ""
ask doraflow status --output ""
ask doraflow schema --output-of ke
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_itself_gets_proposals(tmp_path: Path) -> None:
    program = tmp_path / "bin/doraflow"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom doraflow.cli.entry import main\nmain()\n")
    program.chmod(0o755)
    logs = tmp_path / "doraflow/vision/20260101T000000Z-1"
    logs.mkdir(parents=True)
    told = {"dataflow": "vision", "run": "0123456789", "name": "night", "began": "2026", "nodes": ["camera", "arm"]}
    (logs / "run.json").write_text(json.dumps(told))
    done = subprocess.run(
        ["bash", "-c", BASH],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "DF601 DF602 DF603 DF604 DF605",
        "night vision",
        "camera arm",
        "table json yaml",
        "keys make keys list keys rotate keys retire keys export keys signing",
    ]


@pytest.mark.parametrize("arguments", [["explain"], ["schema"], ["list", "--output", "json"]])
def test_a_full_disk_is_told_in_a_line(arguments: list[str], tmp_path: Path) -> None:
    code = "import sys; sys.argv[0] = 'doraflow'; from doraflow.cli.entry import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "DORAFLOW_RUN_BASE": str(tmp_path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: the output cannot be written: no space left on device\n")


def test_commands_that_stay_keep_their_garbage_collector() -> None:
    assert {"run", "start", "logs", "top", "inspect", "lsp"} == set(STAYING)
