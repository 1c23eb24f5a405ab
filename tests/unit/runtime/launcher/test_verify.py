"""Bundles compared with their manifest."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.verify import verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    files = {"launch_local.py": b"1", "nodes/a.py": b"2", "runtime/pkg/__init__.py": b""}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    table = {name: {"sha256": hashlib.sha256(content).hexdigest(), "new": 1} for name, content in files.items()}
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"files": table, "doraflow": "0", "later": []}))
    return tmp_path


def messages(bundle: Path) -> list[str]:
    with pytest.raises(LaunchError) as caught:
        verify(bundle)
    assert {finding.code for finding in caught.value.findings} == {"DF804"}
    return [finding.message for finding in caught.value.findings]


def test_a_bundle_as_it_was_built_passes_and_unknown_keys_do_not_matter(bundle: Path) -> None:
    verify(bundle)


def test_all_that_differs_is_told_at_once(bundle: Path) -> None:
    (bundle / "nodes/a.py").write_bytes(b"3")
    (bundle / "launch_local.py").unlink()
    (bundle / "runtime/extra.so").write_bytes(b"")
    (bundle / "top.py").write_bytes(b"")
    assert messages(bundle) == [
        "`launch_local.py` of the bundle is missing",
        "`nodes/a.py` was changed after the bundle was built",
        "`top.py` does not belong to the bundle, and nodes could import it by mistake",
        "`runtime/extra.so` does not belong to the bundle, and nodes could import it by mistake",
    ]


@pytest.mark.parametrize("name", ["nodes/out.parquet", "notes.txt", "other/tool.py", "nodes/__pycache__/a.cpython.pyc"])
def test_files_that_nobody_imports_by_mistake_may_lie_in_a_bundle(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"")
    verify(bundle)


def test_a_file_that_cannot_be_read_is_told(bundle: Path) -> None:
    (bundle / "nodes/a.py").unlink()
    (bundle / "nodes/a.py").mkdir()
    assert messages(bundle) == ["`nodes/a.py` of the bundle cannot be read: is a directory"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"files": []}', '{"files": {"a": {}}}', '{"files": {"a": 1}}', "\x00"]
)
def test_a_manifest_that_is_none_is_refused(bundle: Path, text: str) -> None:
    (bundle / "MANIFEST.json").write_text(text)
    expected = f"the bundle cannot be verified by `{bundle}/MANIFEST.json`: it is not the manifest of a bundle"
    assert messages(bundle) == [expected]
