"""Every command in a process and an interpreter of its own, with a small real job.

The commands of other tests are forked from a process that has imported all of them, which would hide a command that
forgets an import of its own: here each finds nothing imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doraflow.cli.main import app
from tests.commands import doraflow
from tests.terminal import terminal

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 120.0
FLOW = """\
name: flow
hosts: {here: {address: 127.0.0.1, ssh: "127.0.0.1:1"}}
nodes:
  - id: source
    path: source.py
    inputs: {tick: dora/timer/millis/20}
    outputs: [out]
"""
SOURCE = """\
from doraflow_runtime.node_api.node import Node

with Node() as node:
    for event in node:
        print(event.type, flush=True)
        node.send_output("out", b"message")
"""
OLD = "nodes:\n  - id: a\n    custom: {source: source.py, inputs: {tick: dora/timer/millis/20}}\n"

JOBS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "init": (("init", "made", "--from", "hello", "--yes"), 0, ""),
    "new": (("new", "node", "third", "--in", "flow.yml", "--input", "in=source/out"), 0, "third"),
    "check": (("check", "flow.yml", "old.yml"), 0, "note[DF113]"),
    "build": (("build", "flow.yml", "-o", "bundle", "--target", "systemd"), 0, "files written"),
    "graph": (("graph", "flow.yml"), 0, "source"),
    "expand": (("expand", "flow.yml"), 0, "queue_size"),
    "plan": (("plan", "flow.yml"), 0, "here"),
    "lock": (("lock", "flow.yml"), 0, "there is nothing to pin"),
    "migrate": (("migrate", "old.yml"), 0, "path: source.py"),
    "keys": (("keys", "make", "flow.yml", "--keys", "keys"), 0, ""),
    "sign": (("sign", "bundle", "--key", "release.key"), 0, ""),
    "verify": (("verify", "bundle"), 0, ""),
    "deploy": (("deploy", "flow.yml", "--dry-run"), 1, "error[DF871]: `here` (`127.0.0.1:1`) cannot be reached"),
    "doctor": (("doctor", "flow.yml"), 0, "Python"),
    "explain": (("explain", "DF101"), 0, "DF101"),
    "schema": (("schema",), 0, "json-schema.org"),
}
"""What each command does, with its exit code and words that it says."""

PREPARED = {
    "sign": (("build", "flow.yml", "-o", "bundle"), ("keys", "signing", "release.key")),
    "verify": (("build", "flow.yml", "-o", "bundle"),),
}
"""What has to be there before, made without the cost of a new interpreter."""

OF_A_RUN = ("start", "list", "status", "inspect", "pause", "resume", "restart", "logs", "top", "stop")
ELSEWHERE = {"lsp": "tests/e2e/test_language_server.py", "run": "tests/e2e/test_run_command.py"}
"""Commands that other tests run in processes of their own."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with dataflows, in which commands leave all that they leave."""
    files = {"flow.yml": FLOW, "old.yml": OLD, "source.py": SOURCE}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "DORAFLOW_RUN_BASE"):
        (tmp_path / f".{name}").mkdir(mode=0o700)
        monkeypatch.setenv(name, str(tmp_path / f".{name}"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fresh(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an interpreter that has imported nothing."""
    command = [sys.executable, "-m", "doraflow", *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_every_command_has_a_job() -> None:
    groups = [str(group.name) for group in app.registered_groups]
    commands = [str(command.name) for command in app.registered_commands]
    assert sorted([*JOBS, *OF_A_RUN, *ELSEWHERE]) == sorted([*commands, *groups])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", JOBS)
def test_a_command_imports_what_it_needs(name: str) -> None:
    for words in PREPARED.get(name, ()):
        made = doraflow(*words)
        assert made.returncode == 0, made.stderr
    words, code, said = JOBS[name]
    done = fresh(*words)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


def test_the_commands_of_a_run_import_what_they_need(folder: Path) -> None:
    started = fresh("start", "flow.yml", "--detach", "--name", "one")
    assert (started.returncode, started.stdout) == (0, "one\n"), started.stderr
    try:
        assert "one" in answered("list")
        assert "source" in answered("status")
        assert "#" in answered("inspect", "source/out", "--count", "1")
        answered("pause", "source")
        answered("resume", "source")
        answered("restart", "source")
        assert "INPUT" in answered("logs", "source")
        with terminal("top", cwd=folder, **own_folders()) as shown:
            shown.expect("source")
            shown.type("q")
            assert shown.wait() == 0
    finally:
        stopped = fresh("stop", "one")
    assert stopped.returncode == 0, stopped.stderr


def answered(*words: str) -> str:
    """Run a command that must go well, and give what it says."""
    done = fresh(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def own_folders() -> dict[str, str]:
    """Give the variables that name the folders of this test, where a terminal would set its own."""
    return {name: os.environ[name] for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
