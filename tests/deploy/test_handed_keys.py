"""Keys that a deploy hands over: hosts whose link is encrypted find one another, also after a rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands import doraflow
from tests.deploy.conftest import eventually, processes_of
from tests.ports import held_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.conftest import World
    from tests.deploy.servers import Server

LINKED = """\
- {id: sender, path: sender.py, inputs: {tick: dora/timer/millis/50}, outputs: [x], deploy: {machine: left}}
- {id: reader, path: reader.py, inputs: {x: sender/x}, deploy: {machine: right}}
"""
SENDER = """\
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            node.send_output("x", b"hello")
"""
READER = """\
from pathlib import Path
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            Path.home().joinpath("heard").touch()
"""


@pytest.fixture
def pair(world: World) -> World:
    """Two hosts with a link between them, which are this machine under other ports."""
    base = str(world.stack.enter_context(held_ports())[0])
    for host in ("left", "right"):
        world.serve(host, DORAFLOW_PORT_BASE=base)
        world.settings[host]["address"] = "127.0.0.1"
    world.write("left", "right", more=LINKED)
    (world.project / "sender.py").write_text(SENDER)
    (world.project / "reader.py").write_text(READER)
    return world


def keys(world: World, *arguments: str) -> str:
    done = doraflow("keys", *arguments, cwd=world.project, env=world.environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def held(server: Server) -> dict[str, str]:
    folder = server.home / ".config/doraflow/keys/flow"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def own(world: World) -> Path:
    return world.folder / ".config/doraflow/keys/flow"


def test_hosts_find_one_another_with_the_keys_that_a_deploy_hands_over(pair: World) -> None:
    done = pair.deploy("--hand-keys")
    assert done.returncode == 1
    assert "error[DF852]: there are no keys in `" in done.stderr
    keys(pair, "make", "flow.yml", "--inventory", "hosts.yml")
    planned = pair.report("--hand-keys", "--dry-run")
    assert planned["left"]["keys"]["added"] == ["left.secret", "left.public", "right.public"]
    assert held(pair.servers["left"]) == {}

    with_keys = pair.deploy("--hand-keys", "--start", "--output", "json")
    assert with_keys.returncode == 0, with_keys.stderr
    for host, other in (("left", "right"), ("right", "left")):
        names = {f"{host}.secret", f"{host}.public", f"{other}.public"}
        assert held(pair.servers[host]) == {name: (own(pair) / name).read_text() for name in names}
        secret = (own(pair) / f"{host}.secret").read_text().split()[-1]
        assert secret not in with_keys.stdout + with_keys.stderr
        bundle = pair.servers[host].base.rglob("*")
        assert not any(secret.encode() in path.read_bytes() for path in bundle if path.is_file())
    heard = pair.servers["right"].home / "heard"
    assert eventually(heard.exists)

    keys(pair, "rotate", "right")
    rows = pair.report("--hand-keys", "--host", "left", "--host", "right")
    assert rows["right"]["state"] == "unchanged"
    assert rows["right"]["keys"] == {
        "added": ["right.public.old"],
        "replaced": ["right.secret", "right.public"],
        "removed": [],
    }
    assert rows["left"]["keys"]["replaced"] == ["right.public"]
    pair.report("--host", "right", "--stop")
    heard.unlink()
    pair.report("--host", "right", "--start")
    assert eventually(heard.exists), "the host with the new key is not taken in by the one that goes on"
    keys(pair, "retire", "right")
    assert {tuple(row["keys"]["removed"]) for row in pair.report("--hand-keys").values()} == {("right.public.old",)}
    pair.report("--stop")
    assert processes_of(pair.folder) == []


def test_keys_of_unknown_origin_keep_every_host_from_being_switched(pair: World) -> None:
    keys(pair, "make", "flow.yml", "--inventory", "hosts.yml")
    there = pair.servers["right"].home / ".config/doraflow/keys/flow"
    there.mkdir(parents=True, mode=0o700)
    (there / "right.secret").write_text("of somebody else\n")
    done = pair.deploy("--hand-keys")
    assert done.returncode == 1
    assert f"error[DF852]: on `right`: `{there}/right.secret` was not made here, and no key there was changed\n" in (
        done.stderr
    )
    assert "put the ones from here in their place with `--replace-keys`" in done.stderr
    assert done.stdout.startswith("left   ")
    assert "is copied and not current: `right` failed" in done.stdout
    assert held(pair.servers["left"]) == {}
    assert held(pair.servers["right"]) == {"right.secret": "of somebody else\n"}
    told = pair.deploy("--hand-keys", "--replace-keys")
    assert told.returncode == 0, told.stderr
    assert "; keys: left.public, right.public added; right.secret replaced\n" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--status", "--hand-keys"], "--status and --hand-keys exclude one another"),
        (["--replace-keys"], "about keys that --hand-keys hands over"),
    ],
)
def test_options_that_do_not_go_together_are_refused(world: World, arguments: list[str], told: str) -> None:
    world.settings["edge"] = {"ssh": "robot@10.255.255.1"}
    world.write("edge")
    done = world.deploy(*arguments)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())
