"""Bundles on disk: atomic, owned by their manifest, and compared without writing."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doraflow.build.compare import compare
from doraflow.build.writer import write
from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.manifest import with_manifest
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

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


def deny(monkeypatch: pytest.MonkeyPatch, name: str, refused: Callable[[Path], bool], error: OSError) -> None:
    """Let a method of Path fail for some paths, as the system would."""
    real = getattr(Path, name)

    def act(self: Path, *arguments: object) -> object:
        if refused(self):
            raise error
        return real(self, *arguments)

    monkeypatch.setattr(Path, name, act)


def test_a_full_disk_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, sink = tmp_path / "out", Sink()
    write(bundle(a="1", b="1"), out, Sink())
    before = tree(out)
    deny(monkeypatch, "write_bytes", lambda path: path.name == "new-1", OSError(28, "No space left on device"))
    assert write(bundle(a="2", b="2"), out, sink) is None
    assert sink.found[0].message == f"the bundle cannot be written to `{out}`: no space left on device"
    assert sink.found[0].help == "name another folder with `-o`, or make room on the disk"
    assert tree(out) == before


@pytest.mark.parametrize("last", ["b", "c__d", "MANIFEST.json"])
def test_a_failure_between_two_files_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    out, sink = tmp_path / "out", Sink()
    write(bundle(a="1", b="1", old__deep__x="1"), out, Sink())
    before = tree(out)
    files = bundle(a="2", b="2", c__d="2", e="2")
    position = [file.path for file in files.files if file.path != "MANIFEST.json"]
    number = len(position) if last == "MANIFEST.json" else position.index(last.replace("__", "/"))
    for name in ("replace", "rename"):
        deny(monkeypatch, name, lambda path: path.name == f"new-{number}", PermissionError(13, "Permission denied"))
    assert write(files, out, sink) is None
    assert codes(sink) == ["DF701"]
    assert tree(out) == before
    assert sorted(path.name for path in out.iterdir()) == ["MANIFEST.json", "a", "b", "old"]


def test_what_a_killed_build_left_is_cleared_away(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".doraflow-staging").mkdir(parents=True)
    (out / ".doraflow-staging" / "new-0").touch()
    assert write(bundle(a="1"), out, Sink()) is not None
    assert sorted(tree(out)) == ["MANIFEST.json", "a"]


def test_a_file_may_become_a_folder_and_a_folder_a_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for files in (bundle(nodes__a="1"), bundle(nodes__a__main="1"), bundle(nodes="1"), bundle(nodes__a="1")):
        sink = Sink()
        assert write(files, out, sink) is not None, sink.found
        assert sorted(tree(out)) == sorted(files.paths())


def test_something_of_someone_else_in_a_bundle_is_never_overwritten(tmp_path: Path) -> None:
    out, sink = tmp_path / "out", Sink()
    write(bundle(a="1"), out, Sink())
    (out / "b").write_text("mine")
    assert write(bundle(a="2", b="2"), out, sink) is None
    assert sink.found[0].message == f"no bundle owns `{out / 'b'}`, and the new one would overwrite it"
    assert (out / "b").read_text() == "mine"
    (out / "b").unlink()
    (out / "b").mkdir()
    assert write(bundle(a="2", b="2"), out, sink) is None
    assert sink.found[1].message == f"the bundle cannot be written to `{out}`: is a directory at `{out / 'b'}`"
    assert (out / "a").read_text() == "1"


def test_a_manifest_of_another_tool_owns_nothing(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_text('{"files": {"precious": {}}}')
    (tmp_path / "precious").write_text("keep")
    sink = Sink()
    assert write(bundle(a="x"), tmp_path, sink) is None
    assert codes(sink) == ["DF703"]
    assert (tmp_path / "precious").read_text() == "keep"


def test_nothing_is_removed_or_written_through_a_symbolic_link(tmp_path: Path) -> None:
    out, sink = tmp_path / "out", Sink()
    write(bundle(d__x="1", y="1"), out, Sink())
    (out / "d").rename(tmp_path / "elsewhere")
    (out / "d").symlink_to(tmp_path / "elsewhere")
    assert write(bundle(y="1"), out, Sink()) is not None
    assert (tmp_path / "elsewhere" / "x").read_text() == "1"
    assert write(bundle(y="1", d__z="1"), out, sink) is None
    assert "a symbolic link stands where a folder must be" in sink.found[0].message
    assert sorted(tree(tmp_path / "elsewhere")) == ["x"]


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


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (b"one", "-one (no newline at the end)"),
        (b"one\r\n", "-one␍"),
        (b"one\n\n", "-"),
        (b"\xff", "changed: a"),
        (b"one\n\0", "changed: a"),
        (b"x" * (1024 * 1024 + 1), "changed: a"),
    ],
)
def test_no_difference_is_overlooked(tmp_path: Path, found: bytes, line: str) -> None:
    files = bundle(a="one\n")
    write(files, tmp_path, Sink())
    (tmp_path / "a").write_bytes(found)
    assert line in compare(files, tmp_path, Sink())


def test_compare_is_content_with_an_exact_bundle(tmp_path: Path) -> None:
    files = bundle(a="one\n", run="x")
    write(files, tmp_path / "out", Sink())
    sink = Sink()
    assert compare(files, tmp_path / "out", sink) == []
    assert not sink.found
