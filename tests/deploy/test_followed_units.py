"""Units of systemd beside deploys: they start what a deploy has made current, with the environment that it made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands import doraflow

if TYPE_CHECKING:
    from tests.deploy.conftest import World

UNIT = "bundle/targets/systemd/user/flow-edge.service"


def assigned(unit: str, name: str) -> str:
    (value,) = re.findall(rf"(?m)^{name}=(.*)$", unit)
    return str(value)


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"), reason="systemd-analyze is not here"
)
def test_a_unit_of_a_user_starts_the_version_that_is_current(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    build = ["build", "flow.yml", "--inventory", "hosts.yml", "-o", "bundle", "--target", "systemd"]
    built = doraflow(*build, cwd=world.project, env=world.environment())
    assert built.returncode == 0, built.stderr
    unit = world.project / UNIT
    unit.write_text(unit.read_text().replace("%h", str(edge.home)))  # the home of whoever logs in
    script = Path(assigned(unit.read_text(), "ExecStart").split('"')[1])
    search = re.findall(r'(?m)^Environment="PATH=([^:]+):', unit.read_text())[0]

    assert search == str(edge.base / "flow/edge/venv/bin")
    first = world.report()["edge"]["version"]
    assert script.resolve() == (edge.base / "flow/edge/versions" / first / "launch_edge.py").resolve()
    done = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(world.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

    (world.project / "edge_node.py").write_text("# changed\n")
    second = world.report()["edge"]["version"]
    assert script.resolve().parent.name == second != first
    world.report("--rollback")
    assert script.resolve().parent.name == first
