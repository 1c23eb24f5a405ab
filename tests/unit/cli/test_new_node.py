"""`doraflow new node`: one node more, everything else as it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import commands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FLOW = """\
# my robot
name: demo

nodes:
  - id: camera   # in front
    path: src/camera.py
    inputs: {tick: dora/timer/hz/10}
    outputs:
      - image   # raw
    build: |
      # no comment
      python -c "pass"

    # kept with the camera

# the end
"""


def new_node(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / ".cache"), "NO_COLOR": "1"}
    return commands.doraflow("new", "node", *arguments, cwd=cwd, env=environment)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dataflow.yml").write_text(FLOW)
    return tmp_path


def test_a_node_is_added_behind_the_others_and_every_other_line_stays(project: Path) -> None:
    done = new_node("detector", "-i", "image=camera/image", "-o", "boxes:BoundingBox", cwd=project)
    assert (done.returncode, done.stdout) == (0, "dataflow.yml\nsrc/detector.py\n"), done.stderr
    fresh = (
        "  - id: detector\n    path: src/detector.py\n    inputs:\n      image: camera/image\n    outputs: [boxes]\n"
        "    output_types:\n      boxes: std/vision/v1/BoundingBox\n"
    )
    text = (project / "dataflow.yml").read_text()
    assert text == FLOW.replace("    # kept with the camera\n", f"    # kept with the camera\n{fresh}")
    assert "from demo_stubs.detector import Detector, ImageEvent" in (project / "src/detector.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["camera"], 1, "error[DF201]: two nodes have the id `camera`"),
        (["b", "-i", "image=camera/imgae"], 1, "error[DF204]: `camera` has no output `imgae`"),
        (["a/b"], 2, "error: `a/b` is not a node id: it holds `/`, which separates a node from its output: "),
        (["b", "-i", "image"], 2, "error: `image` is not an input: write `NAME=NODE/OUTPUT` or "),
        (["b", "-o", "x", "-o", "x"], 2, "error: there are two outputs `x`: write each once\n"),
        (["there"], 1, "error: `src/there.py` is there already, and would have to be overwritten\n"),
        (["b", "--in", "flow.yml"], 1, "error: no node can be added to `flow.yml`\n"),
    ],
)
def test_what_cannot_be_added_changes_nothing(arguments: list[str], code: int, told: str, project: Path) -> None:
    (project / "src").mkdir()
    (project / "src/there.py").write_text("mine")
    (project / "flow.yml").write_text("nodes: [{id: a, path: a.py}]\n")
    before = {path: path.read_text() for path in project.rglob("*") if path.is_file()}
    done = new_node(*arguments, cwd=project)
    assert done.returncode == code
    assert told in done.stderr
    assert {path: path.read_text() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("file", "told"),
    [("none.yml", "error[DF001]: "), ("folder", "error[DF001]: "), ("broken.yml", "error[DF004]: ")],
)
def test_a_file_that_cannot_be_read_is_told_once(file: str, told: str, project: Path) -> None:
    (project / "folder").mkdir()
    (project / "broken.yml").write_text("nodes: [\n")
    done = new_node("b", "--in", file, cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(told)
    assert done.stderr.endswith("\n\n1 error\n"), "and nothing follows the findings"


def test_a_script_is_taken_back_if_the_dataflow_cannot_be_written(project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the super-user may write everywhere")
    project.chmod(0o555)
    try:
        assert new_node("b", cwd=project).returncode == 1
    finally:
        project.chmod(0o755)
    assert not (project / "src/b.py").exists()
