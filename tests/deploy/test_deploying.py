"""Deploys over a real SSH server: what is copied, what is switched, and that nothing of it is left running."""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING

from tests.commands import doraflow
from tests.deploy.conftest import eventually, processes_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.conftest import World


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_host_gets_its_part_private_and_verified(world: World) -> None:
    edge = world.serve("edge")
    world.settings["gpu"] = {"ssh": "10.255.255.1"}
    world.write("edge", "gpu")
    row = world.report("--host", "edge")["edge"]
    assert (row["state"], row["before"]) == ("deployed", None)
    root = edge.base / "flow/edge"
    version = root / "versions" / row["version"]
    assert (root / "current").readlink().as_posix() == f"versions/{row['version']}"
    files = tree(version)
    assert {"launch_edge.py", "wiring/edge.json", "nodes/edge_node.py", "requirements.txt"} <= set(files)
    assert not {"launch_gpu.py", "wiring/gpu.json", "nodes/gpu_node.py", "graph.html"} & set(files)
    listed = json.loads(files["MANIFEST.json"])["files"]
    assert {path: hashlib.sha256(content).hexdigest() for path, content in files.items() if path in listed} == {
        path: entry["sha256"] for path, entry in listed.items()
    }
    assert set(files) == {*listed, "MANIFEST.json"}
    assert (row["files"], row["bytes"]) == (len(files), sum(map(len, files.values())))
    for path in [root, *root.rglob("*")]:
        assert path.is_symlink() or stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert (version / "launch_edge.py").stat().st_mode & 0o100


def test_a_second_deploy_moves_only_what_changed_and_a_rollback_brings_the_first_back(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    first = world.report()["edge"]
    again = world.report()["edge"]
    assert (again["state"], again["sent_files"], again["sent_bytes"]) == ("unchanged", 0, 0)
    source = world.project / "edge_node.py"
    before = source.read_text()
    source.write_text(f"{before}# changed\n")
    planned = world.report("--dry-run")["edge"]
    second = world.report()["edge"]
    root = edge.base / "flow/edge"
    version = root / "versions" / second["version"]
    moved = {
        path: content for path, content in tree(version).items() if path in ("nodes/edge_node.py", "MANIFEST.json")
    }
    assert second["state"] == "deployed"
    assert second["before"] == first["version"]
    assert (second["sent_files"], second["sent_bytes"]) == (2, sum(map(len, moved.values())))
    assert (planned["state"], planned["sent_bytes"]) == ("planned", second["sent_bytes"])
    assert (root / "current/nodes/edge_node.py").read_text() == f"{before}# changed\n"
    back = world.report("--rollback")["edge"]
    assert (back["version"], back["before"]) == (first["version"], second["version"])
    assert (root / "current/nodes/edge_node.py").read_text() == before
    done = world.deploy("--rollback")
    assert done.returncode == 1
    assert f"there is no version to go back to: {first['version']} is the only version" in done.stderr
    forth = world.report()["edge"]
    assert (forth["version"], forth["sent_bytes"]) == (second["version"], 0)


def test_earlier_versions_are_kept_as_far_as_asked(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    names = []
    for number in range(3):
        (world.project / "edge_node.py").write_text(f"# {number}\n")
        names.append(world.report("--keep", "1")["edge"]["version"])
    assert sorted(path.name for path in (edge.base / "flow/edge/versions").iterdir()) == sorted(names[1:])
    told = world.report("--status")["edge"]
    assert told["current"] == names[2]
    assert sorted(version["version"] for version in told["versions"]) == sorted(names[1:])
    assert told["runs"] == []


def test_a_dry_run_and_a_status_change_nothing(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    row = world.report("--dry-run")["edge"]
    assert row["sent_bytes"] == row["bytes"] > 100_000
    assert world.report("--status")["edge"]["versions"] == []
    assert list(edge.home.iterdir()) == []
    done = world.deploy("--status")
    assert done.stdout == "edge: nothing is deployed\n"


def test_the_launcher_starts_on_the_host_and_is_stopped_there(world: World) -> None:
    world.serve("edge")
    world.write("edge")
    run = world.report("--start")["edge"]["run"]
    (running,) = world.report("--status")["edge"]["runs"]
    assert running["run"] == run
    assert running["process"] in processes_of(world.folder)
    (world.project / "edge_node.py").write_text((world.project / "edge_node.py").read_text() + "# changed\n")
    second = world.report("--start")["edge"]
    (other,) = world.report("--status")["edge"]["runs"]
    assert (other["run"], other["version"]) == (second["run"], second["version"])
    assert other["run"] != run
    assert running["process"] not in processes_of(world.folder)
    stopped = world.report("--stop")["edge"]
    assert (stopped["state"], stopped["reason"]) == ("stopped", f"stopped {second['run']}")
    assert eventually(lambda: not processes_of(world.folder))


def test_what_was_changed_by_hand_is_sent_again_and_not_gone_back_to(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    version = world.report()["edge"]["version"]
    deployed = edge.base / "flow/edge/current/nodes/edge_node.py"
    deployed.write_text("# by hand\n")
    row = world.report()["edge"]
    assert (row["state"], row["version"], row["before"], row["sent_files"]) == ("deployed", f"{version}-2", version, 1)
    assert deployed.read_text() == (world.project / "edge_node.py").read_text()
    (world.project / "edge_node.py").write_text("# next\n")
    world.report()
    version = f"{version}-2"
    (edge.base / "flow/edge/versions" / version / "launch_edge.py").unlink()
    done = world.deploy("--rollback")
    assert done.returncode == 1
    assert f"the version {version} is not as it was deployed: `launch_edge.py` was changed or is missing" in done.stderr


def test_what_is_to_be_built_on_the_host_is_built_there(world: World) -> None:
    edge = world.serve("edge")
    world.write(
        "edge",
        more="""\
          - id: made
            path: made.py
            build: python make.py 'a b'
            deploy: {machine: edge, distribute: local}
            inputs: {tick: dora/timer/millis/50}
        """,
    )
    (world.project / "make.py").write_text("import sys\nopen('made.py', 'w').write(f'# {sys.argv[1:]}')\n")
    world.report()
    current = edge.base / "flow/edge/current"
    assert (current / "nodes/made.py").read_text() == "# ['a b']"
    assert not (world.project / "made.py").exists()
    listed = json.loads((current / "MANIFEST.json").read_text())["files"]
    assert listed["nodes/made.py"]["sha256"] == hashlib.sha256(b"# ['a b']").hexdigest()
    assert world.report()["edge"]["state"] == "unchanged"
    (world.project / "make.py").write_text("print('no compiler')\nraise SystemExit(3)\n")
    done = world.deploy()
    assert done.returncode == 1
    assert "error[DF878]: on `edge`: `python make.py 'a b'` of `made` failed with exit code 3" in done.stderr
    assert "no compiler" in done.stderr
    assert (current / "nodes/made.py").read_text() == "# ['a b']"


def test_a_part_is_signed_for_hosts_that_start_nothing_else(world: World) -> None:
    edge = world.serve("edge")
    world.write("edge")
    made = doraflow("keys", "signing", str(world.folder / "release.key"), env=world.environment())
    assert made.returncode == 0, made.stderr
    keys = edge.home / ".config/doraflow/keys"
    keys.mkdir(parents=True)
    for folder in (keys, keys.parent):
        folder.chmod(0o700)
    (keys / "trusted.pub").write_bytes((world.folder / "release.key.pub").read_bytes())
    done = world.deploy("--start")
    assert done.returncode == 1
    assert "error[DF879]: on `edge`: the run of " in done.stderr
    assert "is not signed, and a trusted key is set" in done.stderr
    signed = world.report("--start", "--sign-key", str(world.folder / "release.key"))["edge"]
    assert signed["sent_files"] == 1
    again = world.report("--sign-key", str(world.folder / "release.key"))["edge"]
    assert (again["state"], again["sent_bytes"]) == ("unchanged", 0)
    assert [run["run"] for run in world.report("--status")["edge"]["runs"]] == [signed["run"]]
    world.report("--stop")
