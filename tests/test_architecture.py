"""The rules of the house that no linter knows: sizes, docstrings, and where imports may stand."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("doraflow", "runtime")
FILES = tuple(sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")))
MAX_FILE_LINES = 400
MEDIAN_FILE_LINES = 150
MAX_FUNCTION_LINES_P95 = 45
FORBIDDEN_NAMES = ("util", "helper", "manager", "misc", "common")
HOST_PACKAGES = {"doraflow_runtime", "doraflow_core", "pyarrow", "zmq", "zenoh"}
SIGNATURES_MODULE = ROOT / "runtime/bundles/minisign.py"
"""A host needs the package only where a trusted key is set."""
NUMPY_MODULE = ROOT / "runtime/node_api/numpy_arrays.py"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_a_docstring_and_one_subject(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a module docstring says what lives here"
    assert len(text.splitlines()) <= MAX_FILE_LINES
    assert not any(word in path.stem for word in FORBIDDEN_NAMES)


def test_files_and_functions_stay_small() -> None:
    sizes = [len(path.read_text().splitlines()) for path in FILES if path.name != "__init__.py"]
    lengths = sorted(node.end_lineno - node.lineno + 1 for path in FILES for node in functions(path) if node.end_lineno)
    assert statistics.median(sizes) <= MEDIAN_FILE_LINES
    assert lengths[int(len(lengths) * 0.95)] <= MAX_FUNCTION_LINES_P95


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", sorted((ROOT / "runtime").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_runtime_needs_only_pyarrow_beside_the_standard_library(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
    own = {NUMPY_MODULE: {"numpy"}, SIGNATURES_MODULE: {"cryptography"}}
    assert outside <= HOST_PACKAGES | own.get(path, set())


def test_nodes_that_see_no_arrays_need_no_numpy() -> None:
    modules = ", ".join(f"doraflow_runtime.node_api.{name}" for name in ("typed", "dora", "images"))
    code = f"import sys; sys.modules['numpy'] = None; import {modules}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_evaluated_or_unpickled(path: Path) -> None:
    assert not {"pickle", "marshal", "shelve"} & {name.split(".")[0] for name in imported(path)}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not {"eval", "exec"} & calls


ASKING = {"is_file", "is_dir", "exists", "iterdir", "glob", "rglob", "walk", "open", "read_bytes", "read_text", "which"}
ASKED = {"disk", "files", "_files", "ast"}
CACHED = tuple(
    path
    for path in FILES
    if path.relative_to(ROOT).parts[1] in {"parser", "analysis", "policy", "codegen"}
    or path.relative_to(ROOT).as_posix() in {"doraflow/build/sources.py", "doraflow/build/imports.py"}
)


@pytest.mark.parametrize("path", CACHED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_decides_a_result_is_asked_through_the_recording_disk(path: Path) -> None:
    """An answer that `doraflow.disk` does not record would let the result cache give an old result."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv", "cwd", "lstat"}, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            name = getattr(holder, "attr", getattr(holder, "id", ""))
            is_path_question = node.func.attr in ASKING or (node.func.attr in {"resolve", "stat"} and not node.args)
            assert name in ASKED or not is_path_question, f"line {node.lineno}: ask `doraflow.disk`"


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = [
        ".".join((package, *path.parent.relative_to(ROOT / folder).parts))
        for package, folder in (("doraflow", "doraflow"), ("doraflow_runtime", "runtime"))
        for path in (ROOT / folder).rglob("__init__.py")
    ]
    assert sorted(listed) == sorted(found)
