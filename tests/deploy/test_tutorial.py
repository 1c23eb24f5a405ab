"""The page on deploying: its commands do what they say, with a server on loopback in the place of the robot."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.commands import doraflow

if TYPE_CHECKING:
    from tests.deploy.conftest import World

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/deploy.md"


def test_every_command_of_the_page_goes_well(world: World) -> None:
    text = PAGE.read_text()
    (inventory,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert inventory == (ROOT / "examples/hello/hosts.yml").read_text()
    edge = world.serve("edge")
    shutil.copytree(ROOT / "examples/hello", world.project / "examples/hello")
    (world.project / "examples/hello/hosts.yml").write_text(inventory.replace("robot@10.0.0.2", edge.destination))
    said = {}
    commands = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    source = world.project / "examples/hello/talker.py"
    for number, line in enumerate(command for command in commands if command.startswith("doraflow ")):
        source.write_text(f"{source.read_text()}# version {number}\n" if "--" in line else source.read_text())
        done = doraflow(*shlex.split(line)[1:], *reach(world), cwd=world.project, env=world.environment())
        assert done.returncode == 0, (line, done.stderr)
        said[line.partition("hosts.yml")[2].strip()] = done.stdout
    assert list(said) == ["--dry-run", "", "--start", "--status", "--rollback --start", "--stop"]
    assert "would be sent" in said["--dry-run"]
    assert "is current" in said[""]
    assert "runs as hello-" in said["--start"]
    assert len(re.findall(r"(?m)^  \w{16}  ", said["--status"])) >= 2
    assert "is current, before it" in said["--rollback --start"]


def reach(world: World) -> list[str]:
    return ["--ssh-config", str(world.folder / "ssh_config"), "--python", sys.executable]
