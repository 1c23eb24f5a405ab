"""Command lines and environments of processes."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.commands import Command, commands, refused_by_system
from doraflow_runtime.launcher.environment import UndefinedError, expand, inherited
from doraflow_runtime.launcher.findings import LaunchError


def one(process: Process, root: Path, **shared: str) -> Command:
    (command,) = commands([process], root, shared)
    return command


def refusal(process: Process, root: Path, **shared: str) -> tuple[str, str | None]:
    with pytest.raises(LaunchError) as caught:
        one(process, root, **shared)
    (finding,) = caught.value.findings
    assert (finding.code, finding.node, finding.place) == ("DF801", process.node, process.place)
    return finding.message, finding.help


def test_each_kind_has_its_command_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    lines = [
        (Process("n", "python", "a.py", ("--x",)), (sys.executable, f"{tmp_path}/a.py", "--x")),
        (Process("n", "operators"), (sys.executable, "-m", "doraflow_runtime.operators")),
        (Process("n", "executable", "tool", ("1", "2 3")), (f"{tmp_path}/tool", "1", "2 3")),
        (Process("n", "executable", f"{tmp_path}/tool"), (f"{tmp_path}/tool",)),
        (Process("n", "shell", "shell", ("echo $HOME | cat",)), ("/bin/sh", "-c", "echo $HOME | cat")),
    ]
    for process, expected in lines:
        assert one(process, tmp_path).arguments == expected


def test_a_bare_name_is_looked_up_on_the_path_of_the_node(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    process = Process("n", "executable", "tool", env={"PATH": str(folder)})
    assert one(process, tmp_path, PATH="/nowhere").arguments == (f"{folder}/tool",)
    message, mend = refusal(Process("n", "executable", "tool"), tmp_path, PATH="/nowhere")
    assert message == f"`n` cannot be executed: `tool` is neither a file in `{tmp_path}` nor a command on PATH"
    assert mend == "install `tool`, or write the path of the file"


def test_a_file_goes_before_a_command_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "sh").write_text("#!/bin/sh\n")
    (tmp_path / "sh").chmod(0o755)
    assert one(Process("n", "executable", "sh"), tmp_path, PATH="/bin").arguments == (f"{tmp_path}/sh",)


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert refusal(Process("n", "python", "d"), tmp_path)[0] == f"`n` cannot be executed: `{tmp_path}/d` is not a file"


def test_a_missing_working_directory_is_told(tmp_path: Path) -> None:
    process = Process("n", "operators", working_directory="w", place="f.yml:1:2")
    assert refusal(process, tmp_path) == (
        f"`n` cannot be executed: its working directory `{tmp_path}/w` does not exist",
        "create the directory",
    )


def test_a_cpu_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert refusal(Process("n", "operators", cpu_affinity=(1, 9)), tmp_path) == (
        "`n` cannot be executed: it is bound to CPU 9, and this machine offers 0, 1",
        "correct the node's `cpu_affinity`",
    )


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOEXEC, "`/x` is neither a program for this machine nor a script that names its interpreter"),
        (errno.ENOENT, "`/x` is neither a program for this machine nor a script that names its interpreter"),
        (errno.EAGAIN, "the system has no room for another process: resource temporarily unavailable"),
        (errno.EACCES, "`/x`: permission denied"),
    ],
)
def test_what_the_system_objects_to_is_told(number: int, expected: str) -> None:
    command = Command(Process("n", "executable"), ("/x",), Path(), {})
    finding = refused_by_system(command, OSError(number, os.strerror(number)))
    assert finding.message == f"`n` cannot be executed: {expected}"
    assert finding.help


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$Ab", "2"),
        ("$$A", "$A"),
        ("$$$A", "$1"),
        ("5$ $5 $ ${ ${} ${1} $-", "5$ $5 $ ${ ${} ${1} $-"),
        ("$A$Ab", "12"),
        ("$N", "$A"),
    ],
)
def test_variables_are_filled_in_once(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "Ab": "2", "N": "$A"}) == expected


@pytest.mark.parametrize("text", ["$B", "${B}", "x$B"])
def test_an_undefined_variable_is_named(text: str) -> None:
    with pytest.raises(UndefinedError) as caught:
        expand(text, {})
    assert caught.value.name == "B"


def test_nodes_find_the_bundle_and_keep_their_bytecode_out_of_it() -> None:
    shared = inherited({"HOME": "/h", "DORA_NODE_CONFIG": "x", "DORAFLOW_CONFIG": "y", "KEPT": "z"}, Path("/b"))
    assert shared == {
        "HOME": "/h",
        "KEPT": "z",
        "PYTHONPATH": "/b:/b/runtime",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": "/h/.cache/doraflow/bytecode",
    }


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        ({"PYTHONPATH": "/mine"}, "PYTHONPATH", "/b:/b/runtime:/mine"),
        ({"PYTHONPATH": ""}, "PYTHONPATH", "/b:/b/runtime"),
        ({"XDG_CACHE_HOME": "/c"}, "PYTHONPYCACHEPREFIX", "/c/doraflow/bytecode"),
        ({"PYTHONPYCACHEPREFIX": "/p"}, "PYTHONPYCACHEPREFIX", "/p"),
        ({"PYTHONDONTWRITEBYTECODE": "1"}, "PYTHONPYCACHEPREFIX", None),
    ],
)
def test_what_the_user_has_set_for_python_counts(given: dict[str, str], name: str, expected: str | None) -> None:
    assert inherited(given, Path("/b")).get(name) == expected


def test_a_path_may_begin_with_a_variable_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.py").write_text("")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DORA_WORKSPACE", raising=False)
    for path in ("$HOME/a.py", "${HOME}/a.py", f"${{DORA_WORKSPACE:-{home}}}/a.py"):
        assert one(Process("n", "python", path), tmp_path).arguments == (sys.executable, f"{home}/a.py")
    assert refusal(Process("n", "python", "$DORA_WORKSPACE/a.py"), tmp_path) == (
        "`n` cannot be executed: its path is `$DORA_WORKSPACE/a.py`, and `DORA_WORKSPACE` is not set on this host",
        "set `DORA_WORKSPACE` before the start, or write the path itself",
    )


def test_other_variables_are_part_of_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOT", "x")
    (tmp_path / "$ROBOT.py").write_text("")
    assert one(Process("n", "python", "$ROBOT.py"), tmp_path).arguments[1] == f"{tmp_path}/$ROBOT.py"


def test_a_default_stands_for_a_variable_that_is_not_set() -> None:
    assert expand("${LEVEL:-3} ${LEVEL:-} ${SET:-4}", {"SET": "5"}) == "3  5"
