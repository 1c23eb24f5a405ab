"""Targets are found by listing and by entry points; a broken one is a finding and never a traceback."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Sink
from doraflow.target_registry import find_targets, target_files, target_names
from tests.unit.targeting.plans import LOCAL, plan_of

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
from doraflow.codegen.fileset import GeneratedFile
def files(plan):
    return (GeneratedFile("deep/job.hcl", plan.graph.name.encode()),)
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages with targets can be put into, as if they were installed."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(folder: Path, name: str, code: str, module: str, package: str = "") -> None:
    """Put a package with one target there."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{package or module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package or module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[doraflow.targets]\n{name} = {module}\n")


def findings(sink: Sink) -> list[tuple[str, str, str | None]]:
    return [(found.code, found.message, found.help) for found in sink.diagnostics()]


def test_doraflows_own_targets_are_listed_sorted() -> None:
    assert "systemd" in target_names()
    assert list(target_names()) == sorted(target_names())


def test_every_own_target_can_be_used_and_makes_files_in_its_folder(tmp_path: Path) -> None:
    sink = Sink()
    targets = find_targets(target_names(), sink)
    files = target_files(targets, plan_of(LOCAL, tmp_path), sink)
    assert [found.code for found in sink.diagnostics()] == ["DF864"], "one cause is told once, whoever meets it"
    for target in targets:
        assert target.is_own
        assert [file for file in files if file.path.startswith(f"targets/{target.name}/")], target.name
        assert f"targets/{target.name}/README.md" in [file.path for file in files]


def test_a_target_asked_for_twice_is_taken_once() -> None:
    assert [target.name for target in find_targets(["systemd", "systemd"], Sink())] == ["systemd"]


def test_an_unknown_target_is_told_with_the_nearest(tmp_path: Path) -> None:
    sink = Sink()
    assert find_targets(["sytemd"], sink) == ()
    ((code, message, mend),) = findings(sink)
    assert code == "DF861"
    assert message.startswith("there is no target `sytemd`; the targets are `systemd`")
    assert mend == "write `--target systemd`"


def test_a_target_of_another_package_is_found_by_its_entry_point(distribution: Path, tmp_path: Path) -> None:
    install(distribution, "nomad", GOOD, "toy_nomad_good")
    sink = Sink()
    assert "nomad" in target_names()
    (target,) = targets = find_targets(["nomad"], sink)
    assert not target.is_own
    (file,) = target_files(targets, plan_of(LOCAL, tmp_path), sink)
    assert (file.path, file.content) == ("targets/nomad/deep/job.hcl", b"flow")
    assert not sink.found


@pytest.mark.parametrize(
    ("module", "code", "reason"),
    [
        ("toy_absent", "import toy_hcl\n", "ModuleNotFoundError: No module named 'toy_hcl'"),
        ("toy_empty", "", "it has no function `files`"),
    ],
)
def test_a_target_that_cannot_be_loaded_is_told(distribution: Path, module: str, code: str, reason: str) -> None:
    install(distribution, "nomad", code, module)
    sink = Sink()
    assert find_targets(["nomad"], sink) == ()
    assert findings(sink) == [
        ("DF862", f"the target `nomad` cannot be used: {reason}", f"mend or remove the package `{module}`")
    ]


@pytest.mark.parametrize(
    ("module", "code", "reason"),
    [
        ("toy_failing", "def files(plan):\n    return 1 / 0\n", "ZeroDivisionError: division by zero"),
        (
            "toy_outside",
            GOOD.replace("deep/job.hcl", "../launch_local.py"),
            "it writes outside its folder: `../launch_local.py`",
        ),
        (
            "toy_double",
            GOOD.replace("),)", "),) * 2"),
            "ValueError: two generated files are called deep/job.hcl",
        ),
    ],
)
def test_a_target_that_fails_while_it_writes_is_told(
    distribution: Path, tmp_path: Path, module: str, code: str, reason: str
) -> None:
    install(distribution, "nomad", code, module)
    sink = Sink()
    assert target_files(find_targets(["nomad"], sink), plan_of(LOCAL, tmp_path), sink) == ()
    assert [(code, message) for code, message, _ in findings(sink)] == [
        ("DF862", f"the target `nomad` cannot be used: {reason}")
    ]


def test_no_package_takes_the_name_of_a_target_that_is_there(distribution: Path) -> None:
    install(distribution, "systemd", GOOD, "toy_systemd")
    sink = Sink()
    assert find_targets(["systemd"], sink) == ()
    assert findings(sink) == [
        (
            "DF862",
            "the target `systemd` cannot be used: more than one package brings it: doraflow, toy_systemd",
            "remove all but one of these packages",
        )
    ]


def test_a_target_may_refuse_a_plan(distribution: Path, tmp_path: Path) -> None:
    refusing = GOOD + "def check(plan, sink):\n    sink.error('DF864', 'not this one')\n"
    install(distribution, "nomad", refusing, "toy_refusing")
    sink = Sink()
    assert target_files(find_targets(["nomad"], sink), plan_of(LOCAL, tmp_path), sink) == ()
    assert [message for _, message, _ in findings(sink)] == ["not this one"]


def test_no_target_is_imported_until_it_is_asked_for() -> None:
    code = "import sys, doraflow.cli.main; print([name for name in sys.modules if 'doraflow.target' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
