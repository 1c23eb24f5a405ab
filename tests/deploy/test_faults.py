"""Deploys that cannot go on: one sentence with its mend, the current version as it was, and no half copy for long."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.deploy.conftest import World, eventually, processes_of
from tests.deploy.relay import relaying
from tests.deploy.servers import keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deploy.servers import Server


def half_copies(server: Server) -> list[Path]:
    return list(server.base.glob("flow/*/versions/.new-*"))


@contextlib.contextmanager
def copying(world: World, server: Server) -> Iterator[subprocess.Popen[str]]:
    """Begin a deploy of something new over a slow network, and come back while its copy is under way."""
    (world.project / "edge_node.py").write_bytes(b"# " + os.urandom(400_000).hex().encode() + b"\n")
    with relaying(server.port, 150_000) as port:
        world.reach("edge", port)
        process = subprocess.Popen(
            world.command(),
            cwd=world.project,
            env=world.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            if not eventually(lambda: bool(half_copies(server)) or process.poll() is not None) or process.returncode:
                process.kill()
                pytest.fail("no copy began: " + "".join(process.communicate()))
            yield process
    world.reach("edge", server.port)


def test_a_deploy_that_is_killed_leaves_the_current_version_and_no_half_copy(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    version = world.report()["edge"]["version"]
    with copying(world, edge) as process:
        process.kill()
    assert eventually(lambda: not half_copies(edge))
    assert eventually(lambda: not processes_of(world.folder))
    assert (edge.base / "flow/edge/current").readlink().name == version


def test_an_interrupt_ends_a_deploy_in_order(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    with copying(world, edge) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert time.monotonic() - began < 10.0, "it waited out the silence of a connection that it had ended itself"
    assert eventually(lambda: not half_copies(edge))


def test_what_a_killed_host_process_left_is_removed_by_the_next_deploy(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    version = world.report()["edge"]["version"]
    with copying(world, edge) as process:
        for each in processes_of(world.folder):
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(each, signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error[DF871]: the connection to `edge`" in said
    assert half_copies(edge)
    assert (edge.base / "flow/edge/current").readlink().name == version
    assert world.report()["edge"]["state"] == "deployed"
    assert half_copies(edge) == []


def test_no_host_is_switched_unless_all_have_their_copy(world: World) -> None:
    first, second = world.serve("first"), world.serve("second")
    world.write("first", "second")
    assert {row["state"] for row in world.report().values()} == {"deployed"}
    before = first.base / "flow/first/current"
    version = before.readlink().name
    (world.project / "first_node.py").write_text("# changed\n")
    blocked = second.base / "flow/second/versions"
    with (blocked.parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = world.deploy()
    assert done.returncode == 1
    assert "on `second`: `" in done.stderr
    assert "is in use: another deploy has been going on since" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].endswith(
        f"is copied and not current: `second` failed, and no host goes ahead of the others; {version} stays current"
    )
    assert lines[1].startswith("second  failed: on `second`")
    assert before.readlink().name == version
    rows = world.report()
    assert {row["state"] for row in rows.values()} == {"deployed"}
    assert rows["first"]["sent_bytes"] == 0


def test_a_key_that_the_host_does_not_take_is_told(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    other = keys(world.folder, "other")
    config = world.folder / "ssh_config"
    config.write_text(config.read_text().replace(f"IdentityFile {world.key}", f"IdentityFile {other}"))
    done = world.deploy()
    assert done.returncode == 1
    assert f"error[DF873]: `edge` (`{edge.destination}`) refuses the login; it takes publickey\n" in done.stderr
    assert done.stdout == f"edge  failed: `edge` (`{edge.destination}`) refuses the login; it takes publickey\n"


@pytest.mark.parametrize(
    ("known", "told"),
    [("", "is not known yet, so it could be any machine"), ("another", "is not the one that is known")],
)
def test_a_host_key_that_is_not_the_known_one_is_refused(world: World, known: str, told: str) -> None:
    edge = world.serve("edge")
    world.write("edge")
    text = ""
    if known:
        kind, key, *_ = keys(world.folder, known).with_suffix(".pub").read_text().split()
        text = f"[127.0.0.1]:{edge.port} {kind} {key}\n"
    (world.folder / "known_hosts").write_text(text)
    done = world.deploy()
    assert done.returncode == 1
    assert f"error[DF872]: the host key of `edge` (`{edge.destination}`) {told}" in done.stderr
    assert (world.folder / "known_hosts").read_text() == text
    assert list(edge.home.iterdir()) == []


def test_a_host_without_python_is_told(world: World) -> None:
    edge = world.serve("edge", PATH="/nowhere")
    world.write("edge")
    done = world.deploy("--python", "python3")
    assert done.returncode == 1
    assert f"error[DF874]: `edge` (`{edge.destination}`) has no `python3`\n" in done.stderr
    old = edge.home / "old python"
    old.write_text("#!/bin/sh\necho 'doraflow: this is Python 3.8' >&2\nexit 1\n")
    old.chmod(0o755)
    done = world.deploy("--python", str(old))
    assert f"`{old}` on `edge` (`{edge.destination}`) is Python 3.8, and a bundle needs 3.11\n" in done.stderr


def test_a_host_that_nobody_answers_at_is_told(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    edge.process.terminate()
    edge.process.wait(30)
    done = world.deploy("--timeout", "5")
    assert done.returncode == 1
    assert f"error[DF871]: `edge` (`{edge.destination}`) cannot be reached: " in done.stderr
    assert "Connection refused" in done.stderr


def test_a_silent_host_is_given_up(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    slow = edge.home / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    done = world.deploy("--timeout", "1", "--python", str(slow))
    assert done.returncode == 1
    assert "cannot be reached: no answer within 1 s" in done.stderr
    for each in processes_of(world.folder):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(each, signal.SIGKILL)


def test_a_full_disk_is_told_and_nothing_is_left(world: World) -> None:
    edge = world.serve("edge")
    small = edge.home / "small"
    small.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(small)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("no small file system can be mounted: that takes root")
    try:
        world.settings["edge"]["folder"] = str(small)
        world.write("edge")
        done = world.deploy()
        assert done.returncode == 1
        assert f"error[DF875]: on `edge`: `{small}/flow/edge` cannot be used: no space left on device" in done.stderr
        assert "make room on its disk" in done.stderr
        assert eventually(lambda: not any(small.glob("flow/edge/versions/.new-*")))
        assert not (small / "flow/edge/current").exists()
    finally:
        assert eventually(lambda: subprocess.run(["umount", str(small)], check=False).returncode == 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "egde"], "error[DF870]: nothing of the dataflow runs on `egde`; its hosts are: `edge`"),
        (["--stop", "--status"], "--stop and --status exclude one another"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anyone_is_asked(world: World, arguments: list[str], told: str) -> None:
    world.settings["edge"] = {"ssh": "robot@10.255.255.1"}
    world.write("edge")
    done = world.deploy(*arguments)
    assert done.returncode in (1, 2)
    assert told in done.stderr
