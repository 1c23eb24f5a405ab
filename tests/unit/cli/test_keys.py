"""`doraflow keys` as a user calls it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests import commands
from tests.outputs import told

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FLOW = """\
name: vision
hosts:
  edge: {address: 10.0.0.2}
  gpu: {address: 10.0.0.3}
nodes:
  - {id: camera, path: a.py, outputs: [image], deploy: {machine: edge}}
  - {id: detector, path: a.py, inputs: {image: camera/image}, deploy: {machine: gpu}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dataflow.yml").write_text(FLOW)
    return tmp_path


def keys(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DORAFLOW_KEYS"}
    environment |= {"XDG_CACHE_HOME": str(cwd / ".cache"), "XDG_CONFIG_HOME": str(cwd / ".config"), "NO_COLOR": "1"}
    return commands.doraflow("keys", *arguments, cwd=cwd, env=environment)


def secrets_in(folder: Path) -> list[str]:
    return [path.read_text().splitlines()[-1].partition(" ")[2] for path in folder.glob("*.secret")]


def test_the_life_of_the_keys_of_a_dataflow(project: Path) -> None:
    ring = project / ".config/doraflow/keys/vision"
    made = keys("make", "dataflow.yml", cwd=project)
    assert (made.returncode, made.stdout, made.stderr) == (0, "edge: made\ngpu: made\n", f"keys lie in {ring}\n")
    said = [made]
    for step, expected in (
        (["make", "dataflow.yml"], "edge: kept\ngpu: kept\n"),
        (["rotate", "edge"], "edge: rotated\n"),
        (["export", "gpu", "--to", "out"], "out/gpu.secret\nout/edge.public\nout/edge.public.old\nout/gpu.public\n"),
        (["retire", "edge"], "edge: retired\n"),
        (["make", "dataflow.yml", "--rotate"], "edge: rotated\ngpu: rotated\n"),
        (["check"], ""),
        (["check", "--keys", "out"], ""),
    ):
        done = keys(*step, cwd=project)
        assert (done.returncode, done.stdout) == (0, expected), done.stderr
        said.append(done)
    listed = keys("list", "--output", "json", cwd=project)
    rows = json.loads(listed.stdout)["keys"]
    assert [(row["host"], row["state"], row["has_secret"]) for row in rows] == [
        ("edge", "present", True),
        ("edge", "old", True),
        ("gpu", "present", True),
        ("gpu", "old", True),
    ]
    table = keys("list", cwd=project)
    assert table.stdout.splitlines()[0].split() == ["HOST", "KEY", "FINGERPRINT", "AGE", "SECRET"]
    assert rows[0]["fingerprint"] in table.stdout
    every = [*secrets_in(ring), *secrets_in(project / "out")]
    assert len(every) == 3
    assert not any(key in f"{each.stdout}{each.stderr}" for key in every for each in [*said, listed, table])


def test_a_fault_is_one_sentence_with_its_mend(project: Path) -> None:
    done = keys("rotate", "edge", "--keys", "nowhere", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error[DF852]: there are no keys in `{project}/nowhere`: it does not exist\n\n"
        "hint: make keys with `doraflow keys make`, and copy what `doraflow keys export HOST` writes to the host\n\n"
        "1 error\n"
    )


def test_a_dataflow_with_errors_gets_no_keys(project: Path) -> None:
    (project / "dataflow.yml").write_text(FLOW.replace("camera/image", "camera/imgae"))
    done = keys("make", "dataflow.yml", cwd=project)
    assert done.returncode == 1
    assert "DF204" in done.stderr
    assert not (project / ".config").exists()


def test_what_is_printed_for_scripts_is_what_the_schemas_say(project: Path) -> None:
    for command, more in (
        ("make", ["dataflow.yml"]),
        ("list", []),
        ("rotate", ["edge"]),
        ("retire", ["edge"]),
        ("export", ["edge", "--to", "out"]),
    ):
        done = keys(command, *more, "--output", "json", cwd=project)
        assert told(f"keys {command}", done.stdout), done.stderr
