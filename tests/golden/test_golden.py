"""Generated bundles against the expected ones, and what holds for every generated file."""

from __future__ import annotations

import importlib.util
import os
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
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("golden_bundles", sys.argv[1])
bundles = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bundles)
total = hashlib.sha256()
for case in bundles.CASES:
    for file in bundles.bundle_of(case).files:
        total.update(file.path.encode() + b"\\0" + file.content + bytes([file.executable]))
print(total.hexdigest())
"""


@pytest.mark.parametrize("case", bundles.CASES)
def test_the_bundle_is_the_expected_one(case: str) -> None:
    made = {file.path: (file.content, file.executable) for file in bundles.bundle_of(case).files}
    expected = bundles.expected_files(case)
    assert sorted(made) == sorted(expected), "run `doit golden` and review the difference"
    for path, (content, executable) in made.items():
        assert content.decode() == expected[path][0].decode(), f"{path}: run `doit golden` and review the difference"
        assert executable == expected[path][1], path


def test_the_same_input_gives_the_same_bytes_wherever_and_however_it_is_built(tmp_path: Path) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST, str(Path(__file__).with_name("bundles.py"))],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale, zone, folder in (
            ("1", "C", "UTC", ROOT),
            ("2", "C.UTF-8", "Asia/Tokyo", tmp_path),
            ("3", "C", "America/Lima", tmp_path),
        )
    }
    assert len(digests) == 1


def test_generated_python_compiles_and_is_formatted() -> None:
    paths = [str(path) for case in bundles.CASES for path in (bundles.ROOT / case / "expected").rglob("*.py")]
    paths = [path for path in paths if "/nodes/" not in path]
    for path in paths:
        compile(Path(path).read_text(), path, "exec")
    settings = ["--isolated", "--line-length", "120", "--target-version", "py311"]
    for command in (["format", "--check"], ["check", "--select", "E,F,I,UP,B,RUF", "--ignore", "I001"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings, *paths], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_generated_file_knows_where_or_when_it_was_made() -> None:
    import socket

    forbidden = [str(ROOT).encode(), sys.executable.encode(), socket.gethostname().encode()]
    for case in bundles.CASES:
        for file in bundles.bundle_of(case).files:
            for word in forbidden:
                assert word not in file.content, file.path
