"""Generated bundles against the expected ones, and what holds for every generated file."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("golden_bundles", Path(__file__).with_name("bundles.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
bundles = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bundles)
ROOT = Path(__file__).resolve().parents[2]

PRINT_DIGEST = """
import hashlib, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("golden_bundles", sys.argv[1])
bundles = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bundles)
total = hashlib.sha256()
for case in bundles.CASES:
    for file in bundles.bundle_of(case, pathlib.Path(sys.argv[2])).files:
        total.update(file.path.encode() + b"\\0" + file.content + bytes([file.executable]))
print(total.hexdigest())
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All generated Python in one folder: the stubs, whose packages differ by name, and the launchers renamed."""
    folder = tmp_path_factory.mktemp("generated")
    for case in bundles.CASES:
        bundle = bundles.ROOT / case / "expected"
        for launcher in bundle.glob("launch_*.py"):
            shutil.copy(launcher, folder / f"{case}_{launcher.name.replace('-', '_')}")
        shutil.copytree(bundle / f"{case}_stubs", folder / f"{case}_stubs")
        shutil.copytree(bundle / "runtime" / "dora", folder / "dora", dirs_exist_ok=True)
    return folder


def run(*command: str, folder: Path, **environment: str) -> str:
    """Run a tool on the generated code and give back what it finds."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "."],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("case", bundles.CASES)
def test_the_bundle_is_the_expected_one(case: str) -> None:
    made = {file.path: (file.content, file.executable) for file in bundles.bundle_of(case).files}
    expected = bundles.expected_files(case)
    assert sorted(made) == sorted(expected), "run `doit golden` and review the difference"
    for path, (content, executable) in made.items():
        assert content.decode() == expected[path][0].decode(), f"{path}: run `doit golden` and review the difference"
        assert executable == expected[path][1], path


def test_the_same_input_gives_the_same_bytes_wherever_and_however_it_is_built(tmp_path: Path) -> None:
    elsewhere = tmp_path / "another place"
    shutil.copytree(bundles.ROOT, elsewhere, ignore=shutil.ignore_patterns("expected", "*.py[co]"))
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST, str(Path(__file__).with_name("bundles.py")), str(sources)],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale, zone, folder, sources in (
            ("1", "C", "UTC", ROOT, bundles.ROOT),
            ("2", "C.UTF-8", "Asia/Tokyo", tmp_path, elsewhere),
            ("3", "C", "America/Lima", elsewhere, Path()),
        )
    }
    assert len(digests) == 1


def test_generated_python_compiles_and_follows_the_rules_of_the_project(generated: Path) -> None:
    for path in generated.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    assert run("ruff", "format", "--check", *settings, folder=generated) == ""
    # a launcher is a script beside packages, which INP001 does not know; and a member's capitals are the user's own
    assert run("ruff", "check", *settings, "--ignore", "INP001,N803,N815", folder=generated) == ""


def test_generated_python_is_strictly_typed(generated: Path, mypy_cache: Path) -> None:
    path = f"{generated}{os.pathsep}{ROOT / 'typings'}"
    assert run("mypy", "--strict", "--cache-dir", str(mypy_cache), folder=generated, MYPYPATH=path) == ""


def test_no_generated_file_knows_where_or_when_it_was_made() -> None:
    import socket

    forbidden = [str(ROOT).encode(), sys.executable.encode(), socket.gethostname().encode()]
    for case in bundles.CASES:
        for file in bundles.bundle_of(case).files:
            for word in forbidden:
                assert word not in file.content, file.path
