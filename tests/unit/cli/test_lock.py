"""The lock file: what `build` and `lock` write, what is kept, and what `--locked` and `--frozen` hold to."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from doraflow.cli import entry
from doraflow.cli.fingerprint import key_of
from doraflow.cli.remembered import recall

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = "hosts:\n  arm: {}\n  gpu: {labels: {cuda: '12'}}\n"
NODES = """\
nodes:
  - id: camera
    path: camera.py
    outputs: [image]
    deploy: {machine: arm}
  - id: detector
    path: detector.py
    inputs: {image: camera/image}
    outputs: [box]
    deploy: {labels: {cuda: '12'}}
  - id: planner
    path: planner.py
    inputs: {box: detector/box}
"""
HEAD = "# Written by doraflow: commit it. `doraflow build` keeps to it, `doraflow lock` brings it up to date.\n"
LOCK = f"{HEAD}version: 1\nplacement:\n  detector: gpu\n  planner: gpu\n"


@dataclass(frozen=True, slots=True)
class Project:
    """A dataflow in the current folder, and doraflow as a user calls it, in this process."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.patch.setattr(sys, "argv", ["doraflow", *arguments])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        return (int(ended.value.code or 0), *self.capsys.readouterr())

    @property
    def lock(self) -> str | None:
        path = self.folder / "flow.doraflow.lock"
        return path.read_text() if path.exists() else None

    def write(self, text: str, name: str = "flow.yml") -> None:
        (self.folder / name).write_text(text)

    def hosts(self, *options: str) -> dict[str, str]:
        code, out, err = self("plan", "flow.yml", "--output", "json", *options)
        assert code == 0, err
        return {row["node"]: row["host"] for row in json.loads(out)["nodes"]}


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("camera", "detector", "planner"):
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "flow.yml").write_text(HOSTS + NODES)
    return Project(tmp_path, capsys, monkeypatch)


def test_a_build_pins_the_machines_that_were_chosen(project: Project) -> None:
    code, _, err = project("build", "flow.yml", "--out", "bundle")
    assert (code, project.lock) == (0, LOCK)
    assert err.endswith("flow.doraflow.lock: written\n")


@pytest.mark.parametrize("head", ["", "hosts: {arm: {}}\n"])
def test_a_build_without_a_choice_of_machines_writes_no_lock(project: Project, head: str) -> None:
    project.write(head + NODES.replace("    deploy: {labels: {cuda: '12'}}\n", ""))
    assert project("build", "flow.yml", "--out", "bundle")[0] == 0
    assert project.lock is None


def test_a_pinned_node_stays_when_traffic_would_have_it_elsewhere(project: Project) -> None:
    project.write(LOCK.replace("planner: gpu", "planner: arm"), "flow.doraflow.lock")
    assert project.hosts() == {"camera": "arm", "detector": "gpu", "planner": "arm"}
    code, _, err = project("build", "flow.yml", "--out", "bundle")
    assert (code, "moves" in err) == (0, False)
    assert project.lock == LOCK.replace("planner: gpu", "planner: arm")


def test_a_plan_says_which_nodes_are_pinned(project: Project) -> None:
    project("lock", "flow.yml")
    assert "planner    gpu    pinned in the lock\n" in project("plan", "flow.yml")[1]


def test_a_pinned_node_moves_only_when_its_machine_cannot_take_it(project: Project) -> None:
    project.write(LOCK.replace("detector: gpu", "detector: arm"), "flow.doraflow.lock")
    code, _, err = project("build", "flow.yml", "--out", "bundle")
    assert code == 0
    assert "note[DF893]: `detector` moves from `arm` to `gpu`: `arm` does not carry `cuda: 12`\n" in err
    assert "4 |   detector: arm" in err
    assert project.lock == LOCK


def test_pins_give_way_where_they_leave_another_node_without_room(project: Project) -> None:
    hosts = "hosts: {a: {cores: 4}, b: {cores: 2}}\n"
    small = "  - {{id: {}, path: {}.py, deploy: {{cores: {}}}}}\n"
    project.write(f"{hosts}nodes:\n{small.format('camera', 'camera', 2)}{small.format('detector', 'detector', 4)}")
    project.write("version: 1\nplacement:\n  camera: a\n", "flow.doraflow.lock")
    code, _, err = project("plan", "flow.yml")
    assert code == 0
    assert "`camera` moves from `a` to `b`: with all nodes where the lock has them, no machine has room for `d" in err


def test_locking_twice_changes_nothing_and_says_so(project: Project) -> None:
    assert project("lock", "flow.yml")[:2] == (0, "flow.doraflow.lock\n")
    before = (project.folder / "flow.doraflow.lock").stat().st_mtime_ns
    assert project("lock", "flow.yml") == (0, "", "flow.doraflow.lock: up to date\n")
    assert (project.folder / "flow.doraflow.lock").stat().st_mtime_ns == before


def test_nodes_are_placed_anew_where_that_is_asked_for(project: Project) -> None:
    both = "version: 1\nplacement:\n  detector: gpu\n  planner: arm\n"
    project.write(both, "flow.doraflow.lock")
    project("lock", "flow.yml", "--update-node", "detector")
    assert project.lock == HEAD + both
    project("lock", "flow.yml", "--update-node", "planner")
    assert project.lock == LOCK
    project.write(both, "flow.doraflow.lock")
    project("lock", "flow.yml", "--update")
    assert project.lock == LOCK


def test_an_unknown_node_cannot_be_updated(project: Project) -> None:
    code, _, err = project("lock", "flow.yml", "--update-node", "planer")
    assert code == 2
    assert "there is no node" in err
    assert project.lock is None


def test_each_profile_has_its_own_pins(project: Project) -> None:
    project.write(f"{HOSTS}profiles:\n  bench:\n    nodes: {{planner: {{deploy: {{machine: arm}}}}}}\n{NODES}")
    assert project("lock", "flow.yml")[0] == 0
    assert project("lock", "flow.yml", "--profile", "bench")[0] == 0
    assert project.lock == f"{LOCK}profiles:\n  bench:\n    placement:\n      detector: gpu\n"
    assert project("lock", "flow.yml", "--check")[0] == 0
    assert project("lock", "flow.yml", "--check", "--profile", "bench")[0] == 0


def test_files_that_a_dataflow_reads_are_pinned_with_it(project: Project) -> None:
    project.write("module: {name: m, outputs: [x]}\nnodes: [{id: n, path: camera.py, outputs: [x]}]\n", "m.yml")
    project.write(f"{HOSTS}{NODES}  - {{id: m, module: m.yml}}\n  - {{id: r, path: r.py, inputs: {{x: m/x}}}}\n")
    project("lock", "flow.yml")
    assert project.lock is not None
    assert 'files:\n  m.yml: "sha256:' in project.lock
    project.write("module: {name: m, outputs: [x]}\nnodes: [{id: n, path: planner.py, outputs: [x]}]\n", "m.yml")
    code, _, err = project("check", "flow.yml", "--no-sources", "--locked")
    assert code == 1
    assert "error[DF891]: `m.yml` is not the file that `flow.doraflow.lock` was made with\n" in err
    assert "- {id: m, module: m.yml}" in err  # who asks for it
    assert "hint: run `doraflow lock flow.yml`, and commit what changes\n" in err


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("  detector: gpu\n", "`planner` is placed on `gpu`, and not in `flow.doraflow.lock`"),
        ("  detector: gpu\n  planner: gpu\n  camera: arm\n", "pins `camera`, which names its machine itself: `arm`"),
        ("  detector: gpu\n  planner: gpu\n  x: arm\n", "`flow.doraflow.lock` pins `x`, which is no node of the dataf"),
        ("  detector: arm\n  planner: gpu\n", "[DF893]: `detector` moves from `arm` to `gpu`"),
    ],
)
@pytest.mark.parametrize(
    "command", [("check", "--locked"), ("plan", "--locked"), ("lock", "--check"), ("build", "--check", "-o", "bundle")]
)
def test_drift_is_an_error_where_the_lock_has_to_hold(
    project: Project, command: tuple[str, ...], lock: str, message: str
) -> None:
    project.write(f"{HEAD}version: 1\nplacement:\n{lock}", "flow.doraflow.lock")
    code, _, err = project(command[0], "flow.yml", *command[1:])
    assert code == 1
    assert message in err
    assert err.count("error[") == 1
    assert project.lock == f"{HEAD}version: 1\nplacement:\n{lock}"


def test_a_lock_that_is_missing_is_an_error_where_it_has_to_hold(project: Project) -> None:
    for option in ("--locked", "--frozen"):
        code, _, err = project("check", "flow.yml", option)
        assert code == 1
        assert "error[DF892]: `detector` is placed by choice, and there is no `flow.doraflow.lock` that says wh" in err
    project.write(NODES)
    assert project("check", "flow.yml", "--locked")[0] == 0


def test_a_lock_that_is_written_in_another_way_is_out_of_date(project: Project) -> None:
    project.write("version: 1\nplacement: {planner: gpu, detector: gpu}\n", "flow.doraflow.lock")
    assert project("check", "flow.yml", "--locked")[0] == 0
    code, _, err = project("lock", "flow.yml", "--check")
    assert code == 1
    assert "`flow.doraflow.lock` is not written as doraflow writes it" in err


def test_a_frozen_lock_holds_whatever_nodes_ask_for_and_is_left_alone(project: Project) -> None:
    text = "version: 1\nplacement:\n  detector: arm\n  planner: gpu\n"
    project.write(text, "flow.doraflow.lock")
    assert project.hosts("--frozen")["detector"] == "arm"
    assert project("build", "flow.yml", "--out", "bundle", "--frozen")[0] == 0
    assert project.lock == text


def test_a_frozen_lock_cannot_name_a_machine_that_there_is_not(project: Project) -> None:
    project.write("version: 1\nplacement:\n  detector: orin\n  planner: gpu\n", "flow.doraflow.lock")
    code, _, err = project("plan", "flow.yml", "--frozen")
    assert code == 1
    assert "error[DF894]: the lock has `detector` on `orin`, and there is no such machine\n" in err


def test_a_frozen_lock_has_to_say_where_every_node_is_that_is_placed_by_choice(project: Project) -> None:
    more = "".join(f"  - {{id: n{number}, path: camera.py, inputs: {{b: detector/box}}}}\n" for number in range(12))
    project.write(HOSTS + NODES + more)
    project.write("version: 1\nplacement:\n  detector: gpu\n", "flow.doraflow.lock")
    code, _, err = project("plan", "flow.yml", "--frozen")
    assert code == 1
    assert "error[DF897]: `planner` is placed by choice, and `flow.doraflow.lock` does not say where\n" in err
    assert f"nor does it say so of {', '.join(f'`n{number}`' for number in range(10))} and 2 more\n" in err
    assert err.count("error[") == 1
    project.write(LOCK, "flow.doraflow.lock")
    project.write(HOSTS + NODES)
    assert project("plan", "flow.yml", "--frozen")[0] == 0


def test_a_lock_of_another_profile_says_nothing_where_it_is_frozen(project: Project) -> None:
    project.write(HOSTS + NODES + "profiles: {night: {nodes: {planner: {env: {A: b}}}}}\n")
    project.write(LOCK, "flow.doraflow.lock")
    code, _, err = project("plan", "flow.yml", "--frozen", "--profile", "night")
    assert code == 1
    assert "error[DF897]: `detector` is placed by choice" in err


@pytest.mark.parametrize("command", [["build"], ["run"], ["start"], ["start", "--detach"], ["deploy"]])
def test_what_builds_can_be_held_to_the_lock(project: Project, command: list[str]) -> None:
    name, *options = command
    project.write("version: 1\nplacement:\n  detector: gpu\n  planner: gpu\n  gone: gpu\n", "flow.doraflow.lock")
    code, _, err = project(name, "flow.yml", *options, "--locked")
    assert (code, err.count("error[")) == (1, 1)
    assert "error[DF891]: `flow.doraflow.lock` pins `gone`, which is no node of the dataflow" in err
    project.write("version: 1\nplacement:\n  detector: gpu\n", "flow.doraflow.lock")
    code, _, err = project(name, "flow.yml", *options, "--frozen")
    assert (code, err.count("error[")) == (1, 1)
    assert "error[DF897]: `planner` is placed by choice" in err
    code, _, err = project(name, "flow.yml", *options, "--locked", "--frozen")
    assert code == 2
    assert "--locked and --frozen exclude one another" in err


def test_locked_and_frozen_exclude_one_another(project: Project) -> None:
    assert project("build", "flow.yml", "--locked", "--frozen")[0] == 2


def test_without_machines_to_choose_from_the_pins_stay(project: Project) -> None:
    project.write(HOSTS, "machines.yml")
    project.write(NODES.replace("    deploy: {labels: {cuda: '12'}}\n", ""))
    assert project("lock", "flow.yml", "--inventory", "machines.yml")[0] == 0
    before = project.lock
    assert project("build", "flow.yml", "--out", "bundle")[0] == 0
    assert (project.lock, before is not None) == (before, True)


def test_a_build_from_the_cache_notices_a_lock_that_was_changed_or_removed(project: Project) -> None:
    call = ("build", "flow.yml", "--out", "bundle")
    project(*call)
    project(*call)  # the first one has written the lock, and asks for a second look

    def is_recalled() -> bool:
        key = key_of(call)
        code = None if key is None else recall(key)
        project.capsys.readouterr()
        return code == 0

    assert is_recalled()
    project.write(LOCK.replace("planner: gpu", "planner: arm"), "flow.doraflow.lock")
    assert not is_recalled()
    project(*call)
    assert "planner" in (project.folder / "bundle/launch_arm.py").read_text()
    (project.folder / "flow.doraflow.lock").unlink()
    assert not is_recalled()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("placement: {}\n", "it has no `version`"),
        ("version: '1'\n", "it has no `version`"),
        ("version: 1\npackages: []\n", "a lock has no key `packages` there"),
        ("version: 1\nplacement: [gpu]\n", "`placement` is no map"),
        ("version: 1\nplacement: {detector: 7}\n", "`detector` under `placement` has no text"),
        ("version: 1\nprofiles: {bench: 7}\n", "`bench` is no map"),
        ("version: 1\nversion: 1\n", ""),
        ("[[package]]\nname = 'x'\n", ""),
        ("- a\n", "the file is a list at the top, expected a map with the key `version`"),
    ],
)
def test_a_file_that_is_no_lock_is_one_error_at_its_place(project: Project, text: str, why: str) -> None:
    project.write(text, "flow.doraflow.lock")
    code, _, err = project("check", "flow.yml")
    assert code == 1
    assert f"error[DF890]: `flow.doraflow.lock` is no lock that doraflow wrote: {why}" in err
    assert err.count("error[") == 1
    assert "--> flow.doraflow.lock:" in err
    assert project("build", "flow.yml", "--out", "bundle")[0] == 1
    assert project.lock == text


def test_several_dataflows_are_checked_side_by_side(project: Project) -> None:
    project.write(HOSTS + NODES, "other.yml")
    code, _, err = project("check", "flow.yml", "other.yml")
    assert code == 0
    assert err.count("warning[DF896]: `other.yml` and `flow.yml` both use ") == 1
    assert project("check", "flow.yml", "other.yml", "--strict")[0] == 1
    project.write(
        f"communication: {{remote: {{transport: zeromq, port_range: 30000-30100}}}}\n{HOSTS}{NODES}", "other.yml"
    )
    assert project("check", "flow.yml", "other.yml") == (0, "", "2 dataflows: 6 nodes, no findings\n")


def test_the_mend_of_a_lock_names_the_profile_and_the_inventory_that_it_was_held_with(project: Project) -> None:
    project.write(HOSTS + NODES + "profiles: {night: {nodes: {planner: {env: {A: b}}}}}\n")
    project.write("hosts: {spare: {}}\n", "more hosts.yml")
    code, _, err = project("check", "flow.yml", "--locked", "--profile", "night", "--inventory", "more hosts.yml")
    assert code == 1
    assert "`doraflow lock flow.yml --inventory 'more hosts.yml' --profile night`" in err
    assert project("lock", "flow.yml", "--inventory", "more hosts.yml", "--profile", "night")[0] == 0
    assert project("check", "flow.yml", "--locked", "--profile", "night", "--inventory", "more hosts.yml")[0] == 0
