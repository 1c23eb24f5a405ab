"""`doraflow sign`, `doraflow verify`, and a launcher that trusts a key."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import commands

if TYPE_CHECKING:
    from pathlib import Path

FLOW = "nodes: [{id: a, path: a.py, inputs: {tick: dora/timer/hz/30}}]\n"
NODE = """\
from pathlib import Path

from dora import Node

Path("{marker}").write_text("ran")
next(iter(Node()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dataflow.yml").write_text(FLOW)
    (tmp_path / "a.py").write_text(NODE.format(marker=tmp_path / "marker"))
    for command in (
        ["build", "dataflow.yml", "--out", "bundle", "--quiet"],
        ["keys", "signing", "release.key"],
        ["keys", "signing", "other.key"],
    ):
        done = doraflow(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    return tmp_path


def environment(cwd: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DORAFLOW_KEYS"}
    return kept | {"XDG_CACHE_HOME": f"{cwd}/.cache", "XDG_CONFIG_HOME": f"{cwd}/.config", "NO_COLOR": "1"}


def doraflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return commands.doraflow(*arguments, cwd=cwd, env=environment(cwd))


def launch(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "bundle/launch_local.py", "--log-dir", "logs", *arguments], cwd)


def _run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=environment(cwd), capture_output=True, text=True, check=False, timeout=120
    )


def test_a_launcher_that_trusts_a_key_starts_what_it_signed_and_nothing_else(project: Path) -> None:
    trusting = ["--trusted-key", "release.key.pub"]
    for preparation, said in (
        ([], "is not signed, and a trusted key is set"),
        (["sign", "bundle", "--key", "other.key"], "is not to be trusted: it is signed by key"),
    ):
        if preparation:
            assert doraflow(*preparation, cwd=project).returncode == 0
        for options in (trusting, [*trusting, "--no-verify"]):
            done = launch(*options, cwd=project)
            assert done.returncode == 1
            assert "error[DF854]" in done.stderr
            assert said in done.stderr
            assert not (project / "marker").exists()
        assert doraflow("verify", "bundle", *trusting, cwd=project).returncode == 1
    signed = doraflow("sign", "bundle", "--key", "release.key", cwd=project)
    assert (signed.returncode, signed.stdout) == (0, "bundle/MANIFEST.json.minisig\n"), signed.stderr
    assert doraflow("verify", "bundle", *trusting, cwd=project).returncode == 0
    done = launch(*trusting, cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "marker").read_text() == "ran"
    assert launch(*trusting, cwd=project).returncode == 0, "a run must leave the bundle as it was signed"


def test_a_key_in_the_folder_of_keys_is_trusted_by_every_launcher(project: Path) -> None:
    folder = project / ".config/doraflow/keys"
    folder.mkdir(parents=True)
    (folder / "trusted.pub").write_text((project / "release.key.pub").read_text())
    done = launch(cwd=project)
    assert done.returncode == 1
    assert "is not signed, and a trusted key is set" in done.stderr
    elsewhere = launch("--sources", ".", cwd=project)
    assert "lie outside of the bundle, and no signature covers them" in elsewhere.stderr
    assert not (project / "marker").exists()


def test_a_bundle_is_verified_without_a_key_too(project: Path) -> None:
    done = doraflow("verify", "bundle", cwd=project)
    assert done.returncode == 0
    assert done.stderr.endswith("files as they were built; who built them was not asked\n")
    (project / "bundle/nodes/a.py").write_text("pass\n")
    done = doraflow("verify", "bundle", cwd=project)
    assert done.returncode == 1
    assert "error[DF804]: `nodes/a.py` was changed after the bundle was built" in done.stderr


def test_a_rebuilt_bundle_is_no_longer_signed(project: Path) -> None:
    assert doraflow("sign", "bundle", "--key", "release.key", cwd=project).returncode == 0
    assert doraflow("build", "dataflow.yml", "--out", "bundle", "--check", cwd=project).returncode == 0
    (project / "a.py").write_text("pass\n")
    assert doraflow("build", "dataflow.yml", "--out", "bundle", cwd=project).returncode == 0
    done = doraflow("verify", "bundle", "--trusted-key", "release.key.pub", cwd=project)
    assert "its signature is not of this manifest" in done.stderr
