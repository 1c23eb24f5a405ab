"""`doraflow init` as a user meets it: in a terminal, by flags alone, and where something stands already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import commands
from tests.terminal import terminal

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FILES = [".gitignore", "README.md", "dataflow.yml", "nodes/listener.py", "nodes/talker.py"]


def doraflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / ".cache"), "NO_COLOR": "1"}
    return commands.doraflow(*arguments, cwd=cwd, env=environment)


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_flags_alone_make_a_project_and_list_its_files(tmp_path: Path) -> None:
    done = doraflow("init", "my robot", "--yes", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"my robot/{name}" for name in FILES]
    assert done.stderr == "to run it: doraflow run my robot/dataflow.yml\n"
    assert "name: my_robot\n" in (tmp_path / "my robot/dataflow.yml").read_text()
    checked = doraflow("check", "my robot/dataflow.yml", cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "my robot/dataflow.yml: 2 nodes, no findings\n")


def test_a_project_can_begin_with_a_dataflow_that_is_there(tmp_path: Path) -> None:
    flow = "# kept\nname: two\nnodes:\n  - {id: a, path: src/a.py, outputs: [x]}\n"
    flow += "  - {id: b, path: src/b.py, inputs: {x: a/x}}\n"
    (tmp_path / "old.yml").write_text(flow)
    assert doraflow("init", "new", "--from", "old.yml", "--yes", cwd=tmp_path).returncode == 0
    assert files_in(tmp_path / "new") == [".gitignore", "README.md", "dataflow.yml", "src/a.py", "src/b.py"]
    assert (tmp_path / "new/dataflow.yml").read_text() == flow


def test_nothing_is_overwritten_and_nothing_else_is_written(tmp_path: Path) -> None:
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes/talker.py").write_text("mine")
    done = doraflow("init", "--name", "demo", "--yes", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "error: nothing was written: `nodes/talker.py` would have to be overwritten\n\n"
        "hint: name a new folder, or move what is there\n"
    )
    assert files_in(tmp_path) == ["nodes/talker.py"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["init", "x"], 2, "error: there is no terminal to ask in\n"),
        (["init", "x", "--from", "helo", "--yes"], 2, "error: `helo` is neither a preset nor a file\n"),
        (["init", "x", "--name", "a b", "--yes"], 2, "error: `a b` is not a name: write letters, digits and `_`, "),
        (["init", "x", "--from", "old.yml", "--name", "y", "--yes"], 2, "error: `old.yml` gives the name itself\n"),
        (["init", "x", "--from", "bad.yml", "--yes"], 1, "error[DF204]: `a` has no output `y`\n"),
    ],
)
def test_what_makes_no_project_is_refused(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text("nodes: [{id: a, path: a.py}]\n")
    (tmp_path / "bad.yml").write_text(
        "nodes: [{id: a, path: a.py, outputs: [x]}, {id: b, path: b.py, inputs: {x: a/y}}]"
    )
    done = doraflow(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert files_in(tmp_path) == ["bad.yml", "old.yml"]


def test_the_wizard_proposes_and_writes_what_is_agreed_to(tmp_path: Path) -> None:
    with terminal("init", "demo", cwd=tmp_path) as shown:
        shown.answer("Name of the dataflow (demo): ")
        shown.answer("Begin with [hello/pipeline/robot/own] (hello): ")
        shown.answer("Write these 5 files to demo? [y/n] (y): ")
        assert shown.wait() == 0, shown.shown
    assert files_in(tmp_path / "demo") == FILES


def test_the_wizard_asks_for_nodes_and_asks_again_where_an_answer_means_nothing(tmp_path: Path) -> None:
    with terminal("init", "demo", cwd=tmp_path) as shown:
        shown.answer("Name of the dataflow (demo): ", "2nd demo")
        shown.expect("`2nd demo` is not a name: write letters, digits and `_`, with a letter first")
        shown.answer("Name of the dataflow (demo): ", "second")
        shown.answer("(hello): ", "own")
        shown.answer("Nodes, separated by spaces: ", "camera detector")
        shown.answer("Outputs of camera: ", "image:Imgae")
        shown.expect("there is no type `Imgae`: write one of `Image`, ")
        shown.answer("Outputs of camera: ", "image:Image")
        shown.answer("Outputs of detector: ", "")
        shown.expect("Sources: dora/timer/hz/N, camera/image")
        shown.answer("Inputs of camera: ", "tick=dora/timer/herz/10")
        shown.answer("Inputs of camera: ", "tick=dora/timer/hz/10")
        shown.answer("Inputs of detector: ", "image=camera/imgae")
        shown.expect("no node has the output `camera/imgae`: write `camera/image`")
        shown.answer("Inputs of detector: ", "image=camera/image")
        shown.answer("or nothing for this one: ", "jetson")
        shown.answer("Write these 5 files to demo? [y/n] (y): ", "y")
        assert shown.wait() == 0, shown.shown
    assert (tmp_path / "demo/dataflow.yml").read_text() == (
        "name: second\n"
        "hosts:\n"
        "  jetson: {}\n"
        "nodes:\n"
        "  - id: camera\n"
        "    path: nodes/camera.py\n"
        "    inputs:\n"
        "      tick: dora/timer/hz/10\n"
        "    outputs: [image]\n"
        "    output_types:\n"
        "      image: std/media/v1/Image\n"
        "    deploy: {machine: jetson}\n"
        "\n"
        "  - id: detector\n"
        "    path: nodes/detector.py\n"
        "    inputs:\n"
        "      image: camera/image\n"
        "    deploy: {machine: jetson}\n"
    )
    assert "no findings" in doraflow("check", "demo/dataflow.yml", cwd=tmp_path).stderr


@pytest.mark.parametrize("way", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_a_wizard_that_is_left_writes_nothing(way: str, tmp_path: Path) -> None:
    with terminal("init", "demo", cwd=tmp_path) as shown:
        shown.answer("Name of the dataflow (demo): ")
        shown.expect("(hello): ")
        shown.type(way)
        assert shown.wait() == (130 if way == "\x03" else 1)
        assert "Traceback" not in shown.shown
    assert files_in(tmp_path) == []


def test_saying_no_writes_nothing(tmp_path: Path) -> None:
    with terminal("init", "demo", "--from", "hello", cwd=tmp_path) as shown:
        shown.answer("Name of the dataflow (demo): ")
        shown.answer("[y/n] (y): ", "n")
        assert shown.wait() == 1
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("folder", "message", "mend"),
    [
        (
            "taken",
            "`taken/dataflow.yml` would have to be overwritten",
            "name a new folder; `doraflow new node NAME --in taken/dataflow.yml` adds a node to it",
        ),
        ("file", "`file` is a file", "name a new folder"),
    ],
)
def test_nothing_is_asked_for_a_folder_that_no_project_can_begin_in(
    folder: str, message: str, mend: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/dataflow.yml").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with terminal("init", folder, cwd=tmp_path, COLUMNS="200") as shown:
        assert shown.wait() == 1
    assert shown.shown.split("\n") == [f"error: nothing was written: {message}", "", f"hint: {mend}", ""]


@pytest.mark.parametrize(("key", "code", "told"), [("\x03", 130, "nothing was written"), ("\x04", 1, "error: nothing")])
def test_a_wizard_that_is_left_says_that_nothing_was_written(key: str, code: int, told: str, tmp_path: Path) -> None:
    with terminal("init", "demo", cwd=tmp_path) as shown:
        shown.expect("Name of the dataflow (demo): ")
        shown.type(key)
        assert shown.wait() == code
    assert f"\n{told}" in shown.shown
    assert files_in(tmp_path) == []


def test_a_question_that_is_left_at_the_end_writes_nothing(tmp_path: Path) -> None:
    with terminal("init", "demo", "--from", "hello", cwd=tmp_path) as shown:
        shown.answer("Name of the dataflow (demo): ")
        shown.expect("Write these 5 files to demo? [y/n] (y): ")
        shown.type("\x03")
        assert shown.wait() == 1
    assert "\nerror: nothing was written" in shown.shown
    assert files_in(tmp_path) == []


def test_a_folder_with_letters_of_all_kinds_gives_a_name_that_can_be_read(tmp_path: Path) -> None:
    with terminal("init", "ünïcode 日本", cwd=tmp_path, COLUMNS="40") as shown:
        shown.answer("Name of the dataflow (unicode): ")
        shown.answer("(hello): ")
        shown.answer("(y): ")
        assert shown.wait() == 0
    assert files_in(tmp_path / "ünïcode 日本") == FILES
