"""The units: taken by systemd without a word, sandboxed, and in step with the launcher."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from doraflow.deploy.remote.keys import folder_of
from doraflow.targets import systemd
from tests.unit.targeting.plans import LOCAL, TWO, plan_of, told

if TYPE_CHECKING:
    from pathlib import Path

WORST_EXPOSURE = 2.5
"""What `systemd-analyze security` may say of a unit of the system; 10 is no sandbox at all."""

TOOL = shutil.which("systemd-analyze")
analysed = pytest.mark.skipif(
    TOOL is None and not os.environ.get("CI"), reason="systemd-analyze is not on this machine"
)


def written(text: str, folder: Path) -> dict[str, str]:
    """Write the target's files of a dataflow below a folder; their texts by path."""
    made = {file.path: file.content.decode() for file in systemd.files(plan_of(text, folder))}
    for path, content in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return made


def service(unit: str) -> dict[str, list[str]]:
    """Read the assignments of a unit's `[Service]` section."""
    section = unit.partition("[Service]\n")[2].partition("\n[")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"(?m)^(\w+)=(.*)$", section):
        found.setdefault(name, []).append(value)
    return found


def analyse(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    assert TOOL is not None, "systemd-analyze is not on this machine"
    return subprocess.run(
        [TOOL, *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@analysed
@pytest.mark.parametrize("text", [LOCAL, TWO, f'name: "100% %h \\\\ \\"x\\""\n{LOCAL}'])
@pytest.mark.parametrize("kind", ["system", "user"])
def test_systemd_takes_every_unit_without_a_word(text: str, kind: str, tmp_path: Path) -> None:
    units = [str(tmp_path / path) for path in written(text, tmp_path) if path.startswith(f"{kind}/")]
    assert units
    done = analyse(f"--{kind}", "--man=no", "verify", *units, folder=tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analysed
def test_systemd_finds_a_fault_in_a_unit_that_has_one(tmp_path: Path) -> None:
    written(LOCAL, tmp_path)
    unit = tmp_path / "system/flow-local.service"
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=gently"))
    assert "Failed to parse kill mode" in analyse("--man=no", "verify", str(unit), folder=tmp_path).stderr


@analysed
def test_a_unit_of_the_system_is_hardly_exposed(tmp_path: Path) -> None:
    written(TWO, tmp_path)
    done = analyse(
        "security", "--offline=true", "--json=short", f"--threshold={int(WORST_EXPOSURE * 10)}",
        str(tmp_path / "system/pair-robot-1.service"), folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_bounds_are_those_of_the_inventory(tmp_path: Path) -> None:
    units = written(TWO, tmp_path)
    robot, desk = service(units["system/pair-robot-1.service"]), service(units["user/pair-desk.service"])
    assert (robot["MemoryMax"], robot["CPUQuota"]) == (["2147483648"], ["400%"])
    assert "MemoryMax" not in desk
    assert "CPUQuota" not in desk


def test_only_a_host_with_links_to_others_waits_for_the_network(tmp_path: Path) -> None:
    assert "After=network-online.target" in written(TWO, tmp_path)["system/pair-desk.service"]
    assert "network-online" not in "".join(written(LOCAL, tmp_path).values())


def test_the_launcher_gets_the_time_that_it_is_given_to_stop(tmp_path: Path) -> None:
    unit = service(written(LOCAL, tmp_path)["system/flow-local.service"])
    (command,) = unit["ExecStart"]
    script = '"/opt/doraflow/flow/local/current/launch_local.py"'
    assert command == f"/usr/bin/env python3 {script} --grace 5 --start-timeout 120"
    assert (unit["KillMode"], unit["TimeoutStopSec"], unit["TimeoutStartSec"]) == (["mixed"], ["20"], ["140"])


def test_a_unit_of_a_user_leaves_out_what_only_the_system_may(tmp_path: Path) -> None:
    units = written(LOCAL, tmp_path)
    user = service(units["user/flow-local.service"])
    assert not {"User", "CapabilityBoundingSet", "ProtectKernelModules", "ProtectProc"} & user.keys()
    assert user["ProtectHome"] == ["read-only"]
    assert "%h/.local/share/doraflow/flow/local/current/" in user["ExecStart"][0]
    assert "WantedBy=default.target" in units["user/flow-local.service"]


def test_nothing_of_a_run_lies_where_the_sandbox_forbids_to_write(tmp_path: Path) -> None:
    for path, text in written(LOCAL, tmp_path).items():
        if path.endswith(".service"):
            unit = service(text)
            places = dict(line.strip('"').split("=", 1) for line in unit["Environment"])
            assert [places["DORAFLOW_RUN_BASE"]] == [f"%t/{name}" for name in unit["RuntimeDirectory"]]
            assert places["XDG_STATE_HOME"] == f"%S/{unit['StateDirectory'][0]}"
            assert places["XDG_CACHE_HOME"] == f"%C/{unit['CacheDirectory'][0]}"
            assert unit["RuntimeDirectoryMode"] == ["0700"]


def test_keys_lie_outside_the_bundle_and_become_those_of_the_launchers_user(tmp_path: Path) -> None:
    units = written(TWO, tmp_path)
    unit = service(units["system/pair-robot-1.service"])
    files = ("Robot.1.secret", "Robot.1.public", "desk.public", "Robot.1.public.old", "desk.public.old")
    assert unit["LoadCredential"] == [f"{file}:/etc/doraflow/keys/pair/{file}" for file in files]
    assert unit["SetCredential"] == ["Robot.1.public.old:none", "desk.public.old:none"], "they need not be there"
    assert unit["RuntimeDirectory"] == ["doraflow/pair-robot-1/run doraflow/pair-robot-1/keys"]
    assert ' -t "%t/doraflow/pair-robot-1/keys" ' in unit["ExecStartPre"][0]
    assert "DORAFLOW_KEYS=%t/doraflow/pair-robot-1/keys" in unit["Environment"]
    assert "Credential" not in units["user/pair-robot-1.service"]
    assert "Credential" not in "".join(written(LOCAL, tmp_path).values())


def test_the_readme_tells_each_host_its_unit(tmp_path: Path) -> None:
    readme = written(TWO, tmp_path)["README.md"]
    assert "| Robot.1 | `pair-robot-1.service` |" in readme
    assert "sudo systemctl enable --now UNIT" in readme


def test_the_readme_leads_a_unit_of_the_system_to_the_keys_that_a_deploy_hands_over(tmp_path: Path) -> None:
    handed = folder_of("pair", {"HOME": "/opt/doraflow"})
    readme = written(TWO, tmp_path)["README.md"]
    # A link put over a folder would land inside of it, and the unit would go on with the keys of before.
    assert f"    sudo rm -rf /etc/doraflow/keys/pair\n    sudo ln -s {handed} /etc/doraflow/keys/pair\n" in readme
    assert "--hand-keys" not in written(LOCAL, tmp_path)["README.md"]


def test_the_findings_are_those_of_names_and_bounds(tmp_path: Path) -> None:
    assert told(systemd.check, plan_of(TWO, tmp_path)) == [
        (
            "note DF864: the inventory gives neither `cores` nor `memory` of `desk`, so that no engine bounds what "
            "runs there"
        )
    ]


def test_no_assignment_stands_twice_but_those_that_add_up(tmp_path: Path) -> None:
    for path, text in written(TWO, tmp_path).items():
        if path.endswith(".service"):
            parser = configparser.RawConfigParser(strict=False)
            parser.read_string(text)
            twice = [name for name, values in service(text).items() if len(values) > 1]
            assert set(twice) <= {"Environment", "LoadCredential", "SetCredential", "ExecReload"}
