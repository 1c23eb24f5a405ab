"""A missing module leads to the package that brings it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from doraflow_runtime.distributions import DISTRIBUTIONS, distribution_of, missing_module, module_mend


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("cv2", "opencv-python"),
        ("yaml", "pyyaml"),
        ("PIL.Image", "pillow"),
        ("google.protobuf", "protobuf"),
        ("google.cloud", "google"),
        ("requests", "requests"),
    ],
)
def test_a_module_is_brought_by_a_package_that_may_be_called_otherwise(module: str, package: str) -> None:
    assert distribution_of(module) == package


def test_only_packages_that_are_called_otherwise_are_listed_and_each_can_be_installed() -> None:
    for module, package in DISTRIBUTIONS.items():
        assert module != package
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", package)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", "install what provides `cv2` with `pip install opencv-python`"),
        ("/usr/bin/python3: No module named pytest", "install what provides `pytest` with `pip install pytest`"),
        (
            "ModuleNotFoundError: No module named 'vision_stubs'",
            "import the stubs of this dataflow: `vision_stubs` is made where its name is `vision`",
        ),
        (
            "ModuleNotFoundError: No module named 'queue.x'; 'queue' is not a package",
            "another file is called `queue.py` and hides the package `queue`: rename it",
        ),
        ("ValueError: no light", None),
    ],
)
def test_the_mend_of_a_missing_module_names_the_line_to_run(line: str, mend: str | None) -> None:
    assert module_mend(line) == mend


def test_what_this_python_prints_is_understood() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import no_such_module.inner"], capture_output=True, text=True, check=False
    )
    assert missing_module(done.stderr.splitlines()[-1]) == "no_such_module"
