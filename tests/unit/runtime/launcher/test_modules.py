"""What holds for the launcher's modules as a whole: examples run, codes are known, imports are few."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from doraflow.codes import CODES

FOLDER = Path(__file__).resolve().parents[4] / "runtime" / "launcher"
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"doraflow_runtime.launcher.{name}")).failed == 0


def test_every_code_is_in_the_compilers_table() -> None:
    used = {code for path in FOLDER.glob("*.py") for code in re.findall(r"DF\d{3}", path.read_text())}
    of_links = {"DF520", "DF521", "DF831", "DF832", "DF852"}
    of_launchers = {"DF880", "DF881", "DF882", "DF883", "DF884"}
    assert used == of_links | of_launchers | {"DF801", "DF802", "DF803", "DF804", "DF805", "DF806", "DF847", "DF854"}
    assert used <= CODES.keys()


def test_the_launcher_needs_the_standard_library_alone() -> None:
    code = "import sys, doraflow_runtime.launcher.main; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"pyarrow", "numpy", "doraflow", "yaml", "pydantic", "zmq"} & loaded


def test_help_tells_options_and_exit_codes() -> None:
    code = "from doraflow_runtime.launcher.main import main; main(None, 'robot', (), ['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for word in (
        "--sources",
        "--log-dir",
        "--output",
        "--start-timeout",
        "--grace",
        "--address",
        "--port-base",
        "--listen",
        "--keys",
        "--no-verify",
        "host robot",
        "130",
    ):
        assert word in done.stdout
