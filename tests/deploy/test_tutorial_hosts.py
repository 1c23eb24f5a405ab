"""The tutorial from one machine to three: its commands do what they say, with three servers on loopback as hosts."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.commands import doraflow
from tests.deploy.conftest import eventually, processes_of
from tests.ports import held_ports

if TYPE_CHECKING:
    from tests.deploy.conftest import World

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tutorial-hosts.md"
HOSTS = ("edge", "gpu", "laptop")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def rover(world: World) -> None:
    """Copy the example, and let its inventory name servers on loopback."""
    base = str(world.stack.enter_context(held_ports())[0])
    for host in HOSTS:
        world.serve(host, DORAFLOW_PORT_BASE=base)
    folder = world.project / "examples/rover"
    shutil.copytree(ROOT / "examples/rover", folder)
    text = (folder / "hosts.yml").read_text()
    for host in HOSTS:
        destination = world.servers[host].destination
        text = re.sub(
            rf"(?m)^(  {host}: .*)ssh: [^,]+, address: [^,]+", rf"\1ssh: {destination}, address: 127.0.0.1", text
        )
    (folder / "hosts.yml").write_text(text)


def on_the_laptop(world: World) -> dict[str, str]:
    """The environment of somebody who sits at the laptop, where the deployed part runs as that user's."""
    laptop = world.servers["laptop"]
    return {**world.environment(), "HOME": str(laptop.home), "DORAFLOW_RUN_BASE": str(laptop.folder / "runs")}


def test_every_command_of_the_tutorial_goes_well(world: World) -> None:
    rover(world)
    said: dict[str, str] = {}

    def carry_out(line: str) -> None:
        program, *words = shlex.split(line)
        assert program == "doraflow"
        reach = ["--ssh-config", str(world.folder / "ssh_config"), "--python", sys.executable]
        is_local = words[0] in ("status", "logs", "stop")
        done = doraflow(
            *words,
            *(reach if words[0] == "deploy" else ()),
            cwd=world.project,
            env=on_the_laptop(world) if is_local else world.environment(),
        )
        assert done.returncode == 0, (line, done.stderr)
        said[" ".join(words[-2:]) if words[0] == "deploy" else words[0]] = done.stdout

    def shows() -> str:
        shown = doraflow("logs", "display", "--run", "rover", env=on_the_laptop(world))
        return shown.stdout if shown.returncode == 0 else ""

    def runs() -> list[str]:
        return [path.name for host in world.servers.values() for path in (host.folder / "runs").glob("*/control.sock")]

    for line in "".join(blocks("console")).splitlines():
        if line.startswith("doraflow logs"):
            assert eventually(lambda: "bright" in shows())
        if line.endswith("hosts.yml --start"):
            source = world.project / "examples/rover/detector.py"
            source.write_text(f"{source.read_text()}# changed\n")
        carry_out(line)
        if line.startswith("doraflow status"):
            assert len(runs()) == 3
        if line.startswith("doraflow stop"):
            assert eventually(lambda: not runs()), "a stop at one host ends the others"

    assert [line.rpartition("| ")[2] for line in said["run"].splitlines()][-1] == "10 bright"
    assert re.search(r"detector +gpu +no other machine has `gpu: yes`", said["plan"])
    assert said["--hand-keys --dry-run"].count(" would be sent") == 3
    assert "laptop.secret" in said["--hand-keys --dry-run"]
    assert said["--hand-keys --start"].count(" runs as rover-") == 3
    assert len(re.findall(r"runs as rover-", said["examples/rover/hosts.yml --status"])) == 3
    assert "bright" in said["logs"]
    assert said["--rollback --start"].count("is current, before it") == 3
    assert said["examples/rover/hosts.yml --stop"].count("nothing ran") == 3
    assert processes_of(world.folder) == []


def test_the_files_that_are_shown_are_those_of_the_example() -> None:
    profile, inventory = blocks("yaml")
    assert (ROOT / "examples/rover/dataflow.yml").read_text().endswith(f"\n{profile}")
    assert inventory == (ROOT / "examples/rover/hosts.yml").read_text()
