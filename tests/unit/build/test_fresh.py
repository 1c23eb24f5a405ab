"""Files of the user's own: new ones all or none and over nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from doraflow.build.fresh import InTheWayError, replace_text, write_fresh
from doraflow.codegen.fileset import FileSet, GeneratedFile

if TYPE_CHECKING:
    from pathlib import Path

FILES = FileSet.of([GeneratedFile("a.txt", b"a"), GeneratedFile("deep/b.sh", b"b", executable=True)])


def test_files_and_folders_are_made(tmp_path: Path) -> None:
    write_fresh(FILES, tmp_path / "new" / "place")
    assert sorted(path.name for path in (tmp_path / "new/place").iterdir()) == ["a.txt", "deep"]
    assert (tmp_path / "new/place/deep/b.sh").stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_way_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/b.sh").symlink_to("nowhere")
    with pytest.raises(InTheWayError) as caught:
        write_fresh(FILES, tmp_path)
    assert caught.value.paths == [tmp_path / "deep/b.sh"]
    assert not (tmp_path / "a.txt").exists()


def test_a_file_that_comes_between_is_not_lost_and_the_others_are_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def late(source: Path, target: Path) -> None:
        if target.name == "b.sh":
            target.write_text("someone else's")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(InTheWayError):
        write_fresh(FILES, tmp_path / "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "deep", "b.sh"]
    assert (tmp_path / "new/deep/b.sh").read_text() == "someone else's"


def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        write_fresh(FILES, tmp_path / "file" / "inside")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/deep").write_text("")
    with pytest.raises(OSError, match="exists"):
        write_fresh(FILES, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["deep"]


def test_a_replaced_text_keeps_the_mode_and_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.yml").write_text("old")
    (tmp_path / "real.yml").chmod(0o640)
    (tmp_path / "link.yml").symlink_to("real.yml")
    replace_text(tmp_path / "link.yml", "new")
    assert (tmp_path / "link.yml").is_symlink()
    assert (tmp_path / "real.yml").read_text() == "new"
    assert (tmp_path / "real.yml").stat().st_mode & 0o777 == 0o640
