"""Bundles that are not as they should be, and what nodes find in one that is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from doraflow_runtime.codec import to_json
from doraflow_runtime.contract import HostWiring, Link


def write_manifest(bundle: Any) -> None:
    files = [path for path in bundle.path.rglob("*") if path.is_file()]
    table = {
        path.relative_to(bundle.path).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "mode": "644",
        }
        for path in files
    }
    (bundle.path / "MANIFEST.json").write_text(json.dumps({"doraflow": "0", "files": table}))


def test_a_bundle_as_built_runs_and_stays_as_built(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "import beside; print(beside.WORD)\n")
    bundle.source("beside.py", "WORD = 'found'\n")
    bundle.write()
    write_manifest(bundle)
    before = sorted(bundle.path.rglob("*"))
    cache = world.folder / "cache"
    for _ in range(2):
        launch = world.start(bundle, PYTHONDONTWRITEBYTECODE="", XDG_CACHE_HOME=str(cache))
        assert launch.wait() == 0, launch.err
        assert launch.out == "a | found\n"
    assert sorted(bundle.path.rglob("*")) == before
    assert list((cache / "doraflow" / "bytecode").rglob("beside.*.pyc"))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("nodes/a.py", "print('other')", "`nodes/a.py` was changed after the bundle was built"),
        ("nodes/a.py", None, "`nodes/a.py` of the bundle is missing"),
        (
            "nodes/numpy.py",
            "",
            "`nodes/numpy.py` does not belong to the bundle, and nodes could import it by mistake",
        ),
        ("cv2.py", "", "`cv2.py` does not belong to the bundle, and nodes could import it by mistake"),
    ],
)
def test_a_bundle_that_is_not_as_built_is_refused(world: Any, name: str, text: str | None, expected: str) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    bundle.write()
    write_manifest(bundle)
    path = bundle.path / name
    path.unlink() if text is None else path.write_text(text)
    launch = world.start(bundle)
    assert launch.wait() == 1
    assert launch.out == ""
    assert f"error[DF804]: {expected}\nhint: " in launch.err


def test_a_bundle_without_manifest_is_refused_unless_told_otherwise(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    bundle.write()
    launch = world.start(bundle)
    assert launch.wait() == 1
    assert f"the bundle cannot be verified by `{bundle.path}/MANIFEST.json`: no such file or directory" in launch.err
    assert "`--no-verify` starts it as it is" in launch.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is not JSON: Expecting property name"),
        ("{}", "cannot be used: $: missing key `contract`"),
        ('{"contract": 99, "dataflow": "d", "host": "local", "nodes": [], "links": []}', "was made for contract 99"),
    ],
)
def test_a_malformed_wiring_table_is_told_in_a_sentence(world: Any, text: str, expected: str) -> None:
    bundle = world.bundle()
    bundle.write()
    (bundle.path / "wiring" / "local.json").write_text(text)
    launch = world.start(bundle, "--no-verify")
    assert launch.wait() == 1
    assert launch.err.startswith("error[DF805]: the wiring table ")
    assert expected in launch.err
    assert "Traceback" not in launch.err


def test_a_link_to_a_node_that_is_on_no_host_is_refused(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "", outputs=("out",))
    bundle.write()
    wiring: HostWiring = bundle.wiring()
    far = dataclasses.replace(wiring, links=(Link(1, "a", "out", "b", "in", transport="zmq"),))
    (bundle.path / "wiring" / "local.json").write_text(json.dumps(to_json(far)))
    launch = world.start(bundle, "--no-verify")
    assert launch.wait() == 1
    assert launch.err == (
        f"error[DF805]: the wiring table `{bundle.path / 'wiring' / 'local.json'}` has a link between ports "
        "that it does not list: `a/out` -> `b/in`\n"
        "hint: build the bundle again\n"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--sources", "no-such-folder"), "the folder no-such-folder does not exist"),
        (("--grace", "-1"), "`-1` is not a number of seconds"),
        (("--output", "xml"), "invalid choice: 'xml'"),
        (("--unknown",), "unrecognized arguments: --unknown"),
    ],
)
def test_wrong_usage_exits_with_2(world: Any, arguments: tuple[str, ...], expected: str) -> None:
    bundle = world.bundle()
    launch = world.launch(bundle, *arguments)
    assert launch.wait() == 2
    assert expected in launch.err


def test_sources_elsewhere_are_run_where_they_are(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", path="sub/a.py", working_directory="sub")
    folder = world.folder / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.py").write_text("import os; print(os.getcwd())\n")
    launch = world.launch(bundle, "--sources", str(folder))
    assert launch.wait() == 0, launch.err
    assert launch.out == f"a | {folder / 'sub'}\n"


def test_arguments_environment_and_cpus_are_as_the_table_says(world: Any) -> None:
    bundle = world.bundle()
    shown = "sys.argv[1:], os.environ['PRICE'], os.environ.get('DORA_NODE_CONFIG'), os.sched_getaffinity(0)"
    bundle.node(
        "a", f"import os, sys; print({shown})\n", args=("--x", "1 2"), env={"PRICE": "$$5 ${WORTH}"}, cpu_affinity=(0,)
    )
    launch = world.launch(bundle, WORTH="well", DORA_NODE_CONFIG="dora's own")
    assert launch.wait() == 0, launch.err
    assert launch.out == "a | ['--x', '1 2'] $5 well None {0}\n"


def test_commands_of_all_kinds_run(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("command", kind="executable", path="echo", args=("from PATH",))
    bundle.node("script", kind="executable", path="./script")
    bundle.source("script", "#!/bin/sh\necho from a file\n").chmod(0o755)
    bundle.node("line", kind="shell", path="shell", args=("echo from a shell | tr a-z A-Z",))
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert sorted(launch.out.splitlines()) == [
        "command | from PATH",
        "line    | FROM A SHELL",
        "script  | from a file",
    ]


def test_a_relative_base_for_runs_is_taken_from_where_the_launcher_started(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "import os; print(os.environ['DORAFLOW_CONFIG'])\n", outputs=("o",))
    launch = world.launch(bundle, DORAFLOW_RUN_BASE=os.path.relpath(world.base))
    assert launch.wait() == 0
    assert re.fullmatch(rf"a \| {world.base}/flow-[0-9a-f]{{8}}/nodes/0\.json\n", launch.out)


def test_a_run_directory_without_room_is_told_and_removed(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    bundle.write()
    (bundle.path / "launch_local.py").write_text(
        "import os\nfrom pathlib import Path\n"
        "def full(self, *_, **__):\n    raise OSError(28, os.strerror(28))\n"
        "import doraflow_runtime.launcher.launch as launch\n"
        "launch.write_configs = full\n" + (bundle.path / "launch_local.py").read_text()
    )
    launch = world.start(bundle, "--no-verify")
    assert launch.wait() == 1
    assert "cannot be written: no space left on device\nhint: make room there, or set `DORAFLOW_RUN_BASE`" in launch.err
    assert "Traceback" not in launch.err


def test_a_bundle_whose_nodes_lie_elsewhere_runs_in_its_own_folder(world: Any) -> None:
    script = world.folder / "elsewhere.py"
    script.write_text("import os; print(os.getcwd())\n")
    (world.folder / "dataflow.yml").write_text(f"nodes:\n  - {{id: a, path: {script}}}\n")
    out = world.folder / "built"
    build = [sys.executable, "-m", "doraflow", "build", "dataflow.yml", "-o", str(out)]
    subprocess.run(build, cwd=world.folder, env=world.environment, check=True, capture_output=True)
    assert not (out / "nodes").exists()
    launched = subprocess.run(
        [sys.executable, str(out / "launch_local.py"), "--log-dir", str(world.folder / "logs")],
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (launched.returncode, launched.stdout) == (0, f"a | {out}\n"), launched.stderr
