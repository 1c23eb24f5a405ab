"""Which nodes are forked, told from their rows and their environment alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.commands import Command
from doraflow_runtime.launcher.forkable import forkable

ROOT = Path("/sources")
SHARED = {"PATH": "/bin", "PYTHONPATH": "/bundle:/bundle/runtime", "LANG": "C.UTF-8"}


def command(name: str = "n", folder: Path = ROOT, **row: Any) -> Command:
    process = Process(name, **{"kind": "python", **row})
    return Command(process, ("python", f"{name}.py"), folder, {**SHARED, **process.env})


def is_forked(tested: Command, **shared: str) -> bool:
    others = tuple(command(f"other{index}") for index in range(2))
    return tested in forkable((*others, tested), {**SHARED, **shared}, ROOT)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, True),
        ({"kind": "operators"}, True),
        ({"kind": "executable"}, False),
        ({"kind": "shell"}, False),
        ({"spawn": "exec"}, False),
        ({"cpu_affinity": (0,)}, False),
        ({"env": {"MODEL": "x"}}, True),
        ({"env": {"LANG": "C.UTF-8"}}, True),
        ({"env": {"LANG": "de_DE.UTF-8"}}, False),
        ({"env": {"PYTHONPATH": "/elsewhere"}}, False),
        ({"env": {"PYTHONWARNINGS": "error"}}, False),
        ({"env": {"LD_PRELOAD": "x.so"}}, False),
        ({"env": {"TZ": "UTC"}}, False),
        ({"env": {"HOME": "/home/robot"}}, False),
        ({"env": {"OPENBLAS_NUM_THREADS": "1"}}, False),
        ({"env": {"ARROW_DEFAULT_MEMORY_POOL": "system"}}, False),
        ({"env": {"DORAFLOW_CORE": "off"}}, False),
        ({"env": {"DORAFLOW_LENS": "wide"}}, True),
    ],
)
def test_a_node_is_forked_unless_a_start_of_its_own_would_matter(row: dict[str, Any], expected: bool) -> None:
    assert is_forked(command(**row)) is expected


@pytest.mark.parametrize(
    "name", ["COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "PYTHONPROFILEIMPORTTIME", "PYTHONINSPECT"]
)
def test_interpreters_that_are_watched_are_never_forked(name: str) -> None:
    assert not is_forked(command(), **{name: "1"})
    assert is_forked(command(), **{name: ""})


@pytest.mark.parametrize("path", ["/bundle:lib", "/bundle:", ""])
def test_relative_places_to_import_from_are_those_of_the_node_s_own_folder(path: str) -> None:
    assert is_forked(command(), PYTHONPATH=path)
    assert not is_forked(command(folder=ROOT / "arm"), PYTHONPATH=path)
    assert is_forked(command(folder=ROOT / "arm"), PYTHONPATH="/bundle")


def test_one_node_alone_is_not_forked() -> None:
    one, other = command("one"), command("other")
    assert forkable((one,), SHARED, ROOT) == ()
    assert forkable((one, command("program", kind="executable")), SHARED, ROOT) == ()
    assert forkable((one, other), SHARED, ROOT) == (one, other)
