"""Bundles on disk: atomic, owned by their manifest, and compared without writing."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from doraflow.build.compare import compare
from doraflow.build.writer import write
from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.manifest import with_manifest
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from doraflow.codegen.fileset import FileSet


def bundle(**files: str) -> FileSet:
    made = [
        GeneratedFile(name.replace("__", "/"), text.encode(), executable=name == "run") for name, text in files.items()
    ]
    return with_manifest(made, "test", "0", {})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def codes(sink: Sink) -> list[str]:
    return [finding.code for finding in sink.diagnostics()]


def test_a_bundle_is_written_with_modes_and_then_left_alone(tmp_path: Path) -> None:
    out, sink = tmp_path / "deep" / "out", Sink()
    files = bundle(run="#!", a__b="x")
    report = write(files, out, sink)
    assert report is not None
    assert report.written == ("MANIFEST.json", "a/b", "run")
    assert stat.S_IMODE((out / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((out / "a/b").stat().st_mode) == 0o644
    before = (out / "a/b").stat().st_mtime_ns
    again = write(files, out, sink)
    assert again is not None
    assert (again.written, again.removed) == ((), ())
    assert (out / "a/b").stat().st_mtime_ns == before
    assert not sink.found


def test_only_what_the_manifest_owns_is_removed(tmp_path: Path) -> None:
    write(bundle(a__b="x", c="y"), tmp_path / "out", Sink())
    (tmp_path / "out" / "mine.txt").write_text("kept")
    report = write(bundle(c="y"), tmp_path / "out", Sink())
    assert report is not None
    assert report.removed == ("a/b",)
    assert sorted(tree(tmp_path / "out")) == ["MANIFEST.json", "c", "mine.txt"]
    assert not (tmp_path / "out" / "a").exists()


def test_a_manifest_that_points_outside_removes_nothing_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(bundle(a="x"), out, Sink())
    (tmp_path / "precious").write_text("keep")
    manifest = (out / "MANIFEST.json").read_text()
    (out / "MANIFEST.json").write_text(manifest.replace('"a"', '"../precious"'))
    assert write(bundle(b="y"), out, Sink()) is not None
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    sink = Sink()
    assert write(bundle(a="x"), tmp_path, sink) is None
    assert codes(sink) == ["DF703"]
    assert sorted(tree(tmp_path)) == ["thesis.tex"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = Sink()
    assert write(bundle(a="x"), tmp_path / "file" / "out", sink) is None
    assert codes(sink) == ["DF701"]


def test_a_failure_midway_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write(bundle(a="1", b="1"), out, Sink())
    before = tree(out)
    real = os.fchmod
    calls = []

    def fail_second(descriptor: int, mode: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", fail_second)
    sink = Sink()
    assert write(bundle(a="2", b="2"), out, sink) is None
    assert codes(sink) == ["DF701"]
    assert "no space left on device" in sink.found[0].message
    assert tree(out) == before


def test_compare_shows_what_changed_what_is_missing_and_what_is_left_over(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(bundle(a="one\n", b="x\n", c="z\n"), out, Sink())
    (out / "b").unlink()
    sink = Sink()
    lines = compare(bundle(a="two\n", b="x\n"), out, sink)
    assert lines[-1] == "left over: c"
    assert "missing: b" in lines
    assert lines[lines.index("--- found/a") :][:5] == ["--- found/a", "+++ wanted/a", "@@ -1 +1 @@", "-one", "+two"]
    assert codes(sink) == ["DF702"]
    assert not (out / "b").exists()


def test_compare_is_content_with_an_exact_bundle(tmp_path: Path) -> None:
    files = bundle(a="one\n", run="x")
    write(files, tmp_path / "out", Sink())
    sink = Sink()
    assert compare(files, tmp_path / "out", sink) == []
    assert not sink.found
