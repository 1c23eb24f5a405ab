"""Pairs of keys: made once, rotated with an overlap, retired, and whole whatever interrupts."""

from __future__ import annotations

import itertools
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.keys.ring import read_ring

from doraflow.keys import pairs, writing
from doraflow.keys.exporting import export_keys
from doraflow.keys.listing import faults, key_rows
from doraflow.keys.pairs import Change, make_keys, retire_keys, rotate_keys
from doraflow.keys.rings import choose_ring

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "ring"
    make_keys(found, ["edge", "gpu"])
    return found


def modes(folder: Path) -> dict[str, str]:
    return {path.name: f"{path.stat().st_mode & 0o7777:o}" for path in sorted(folder.iterdir())}


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_keys(tmp_path / "a" / "ring", ["edge"])
    finally:
        os.umask(before)
    assert f"{(tmp_path / 'a' / 'ring').stat().st_mode & 0o7777:o}" == "700"
    assert modes(tmp_path / "a" / "ring") == {"edge.public": "600", "edge.secret": "600"}


def test_pairs_that_are_there_are_kept(folder: Path) -> None:
    before = read_ring(folder, "edge")
    assert make_keys(folder, ["edge", "laptop"]) == [Change("edge", "kept"), Change("laptop", "made")]
    after = read_ring(folder, "edge")
    assert after.secret == before.secret
    assert after.keys_of("edge") == before.keys_of("edge")


def test_a_rotated_host_has_two_public_keys_until_the_old_one_is_retired(folder: Path) -> None:
    before = read_ring(folder, "edge")
    assert rotate_keys(folder, ["edge"]) == [Change("edge", "rotated")]
    between = read_ring(folder, "edge")
    assert between.secret != before.secret
    assert between.keys_of("edge")[1:] == before.keys_of("edge")
    assert [(row.host, row.state) for row in key_rows(folder)] == [
        ("edge", "present"),
        ("edge", "old"),
        ("gpu", "present"),
    ]
    retire_keys(folder, ["edge"])
    assert read_ring(folder, "edge").keys_of("edge") == between.keys_of("edge")[:1]
    assert faults(folder) == []


def test_what_cannot_be_done_for_one_host_is_done_for_none(folder: Path) -> None:
    rotate_keys(folder, ["edge"])
    before = modes(folder)
    still = "the key before the present one of host `edge` is still admitted"
    for attempt, said in (
        (lambda: rotate_keys(folder, ["gpu", "edge"]), still),
        (lambda: rotate_keys(folder, ["gpu", "nope"]), f"there is no secret key of host `nope` in `{folder}`"),
        (lambda: retire_keys(folder, ["edge", "gpu"]), f"host `gpu` has no old key in `{folder}`"),
        (lambda: make_keys(folder, ["laptop", "../x"]), "`../x` is no name of a host"),
    ):
        with pytest.raises(KeyRingError) as caught:
            attempt()
        assert caught.value.message == said
        assert modes(folder) == before


def test_an_exported_host_gets_its_own_secret_and_everybodys_public_keys(folder: Path, tmp_path: Path) -> None:
    rotate_keys(folder, ["gpu"])
    out = tmp_path / "out"
    assert export_keys(folder, "edge", out) == ["edge.secret", "edge.public", "gpu.public", "gpu.public.old"]
    assert set(modes(out).values()) == {"600"}
    assert read_ring(out, "edge").hosts == read_ring(folder, "edge").hosts
    retire_keys(folder, ["gpu"])
    export_keys(folder, "edge", out)
    assert sorted(modes(out)) == ["edge.public", "edge.secret", "gpu.public"]


def test_an_export_mixes_nothing(folder: Path, tmp_path: Path) -> None:
    export_keys(folder, "edge", tmp_path / "out")
    with pytest.raises(KeyRingError, match=r"holds `edge\.secret`, which would be copied to host `gpu` too"):
        export_keys(folder, "gpu", tmp_path / "out")
    with pytest.raises(KeyRingError, match="is where the keys lie already"):
        export_keys(folder, "gpu", folder)
    assert sorted(modes(tmp_path / "out")) == ["edge.public", "edge.secret", "gpu.public"]


def test_keys_are_not_put_into_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_text("{}")
    with pytest.raises(KeyRingError, match="lies in the bundle"):
        make_keys(tmp_path / "deep" / "ring", ["edge"])
    assert not (tmp_path / "deep").exists()


def test_keys_are_not_made_where_those_of_another_host_were_copied_to(folder: Path, tmp_path: Path) -> None:
    export_keys(folder, "edge", tmp_path / "out")
    with pytest.raises(KeyRingError, match="holds the public key of host `gpu` without its secret one"):
        make_keys(tmp_path / "out", ["edge", "gpu"])


def test_a_folder_of_keys_that_others_can_read_is_not_written_to(folder: Path) -> None:
    folder.chmod(0o755)
    for change in (make_keys, rotate_keys, retire_keys):
        with pytest.raises(KeyRingError, match="can be read by others"):
            change(folder, ["edge"])


class Killed(BaseException):
    """What a process that is killed would not get: it ends a change at once, with nothing taken back."""


def test_a_change_that_is_killed_anywhere_leaves_keys_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in itertools.count():
        folder = tmp_path / str(step)
        make_keys(folder, ["edge"])
        first = read_ring(folder, "edge")
        with monkeypatch.context() as patched:
            if not _rotation_killed_at(step, folder, patched):
                break
        (folder / ".edge.secret.0123.new").write_text("half")
        assert first.keys_of("edge")[0] in read_ring(folder, "edge").keys_of("edge")  # its peers still let it in
        make_keys(folder, ["edge"])
        assert faults(folder) == []
        assert not (folder / ".edge.secret.0123.new").exists()
        assert first.keys_of("edge")[0] in read_ring(folder, "edge").keys_of("edge")
    assert step == 3


def _rotation_killed_at(step: int, folder: Path, patched: pytest.MonkeyPatch) -> bool:
    left = [step]

    def put(*arguments: object) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        writing.put(*arguments)  # type: ignore[arg-type]  # as the caller gave them

    patched.setattr(pairs, "put", put)
    try:
        rotate_keys(folder, ["edge"])
    except Killed:
        return True
    return False


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyRingError) as caught:
        rotate_keys(folder, ["edge"])
    assert caught.value.message == f"no keys can be written to `{folder}`: no space left on device"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    made: list[Change] = []
    threads = [threading.Thread(target=lambda: made.extend(make_keys(folder, ["edge"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(change.what for change in made) == ["kept"] * 7 + ["made"]
    assert faults(folder) == []


def test_halves_that_do_not_belong_together_are_found(folder: Path, tmp_path: Path) -> None:
    make_keys(tmp_path / "other", ["edge"])
    (folder / "edge.public").write_bytes((tmp_path / "other" / "edge.public").read_bytes())
    assert [fault.message for fault in faults(folder)] == [
        f"the secret key of host `edge` in `{folder}` does not belong to its public one"
    ]


def test_a_folder_without_a_secret_key_is_told(folder: Path) -> None:
    for path in folder.glob("*.secret"):
        path.unlink()
    assert [fault.message for fault in faults(folder)] == [f"there is no secret key in `{folder}`"]


def test_ages_are_counted_in_days(folder: Path) -> None:
    made = datetime.fromisoformat(key_rows(folder)[0].made)
    later = made.replace(year=made.year + 1, day=1, month=6)
    assert key_rows(folder, later)[0].age_days == (later - made).days
    assert key_rows(folder, datetime(2000, 1, 1, tzinfo=UTC))[0].age_days == 0


def test_the_ring_that_is_meant(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    base = tmp_path / "doraflow" / "keys"
    with pytest.raises(KeyRingError, match="there are no keys in"):
        choose_ring("", None, environment)
    make_keys(base / "vision", ["edge"])
    assert choose_ring("", None, environment) == base / "vision"
    make_keys(base / "arm", ["edge"])
    with pytest.raises(KeyRingError) as caught:
        choose_ring("", None, environment)
    assert caught.value.message == "there are several rings of keys: `arm`, `vision`"
    assert choose_ring("arm", None, environment) == base / "arm"
    assert choose_ring("", tmp_path, environment) == tmp_path
    assert choose_ring("arm", None, environment | {"DORAFLOW_KEYS": str(tmp_path)}) == tmp_path


def test_a_place_where_no_folder_can_be_is_told_with_another_folder_as_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyRingError) as told:
        writing.make_private(tmp_path / "file" / "keys")
    assert told.value.mend == "name another folder"


def test_a_misspelt_host_is_told_with_the_closest_that_has_a_pair(folder: Path, tmp_path: Path) -> None:
    for attempt in (lambda: export_keys(folder, "egde", tmp_path / "out"), lambda: rotate_keys(folder, ["egde"])):
        with pytest.raises(KeyRingError) as caught:
            attempt()
        assert caught.value.mend == "to name the closest, write `edge`"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "removed", "mend"),
    [
        ("edge.public", ["edge.public"], "run `doraflow keys make`, which writes it from the secret one"),
        (
            "edge.secret",
            ["edge.secret", "edge.public"],
            "with its public half, and run `doraflow keys make`, which makes a new pair",
        ),
        (
            "edge.public.old",
            ["edge.public.old"],
            "remove it, so that the key before the present one is not admitted any more",
        ),
    ],
)
def test_what_is_told_of_a_damaged_key_mends_it(folder: Path, name: str, removed: list[str], mend: str) -> None:
    (folder / name).write_text("damaged")
    (folder / name).chmod(0o600)
    with pytest.raises(KeyRingError, match="is not a key file") as caught:
        read_ring(folder, "edge")
    assert caught.value.mend.startswith("copy it again from where the keys are made; there, remove it")
    assert caught.value.mend.endswith(mend)
    for each in removed:
        (folder / each).unlink()
    make_keys(folder, ["edge", "gpu"])
    assert len(key_rows(folder)) == 2
    assert not faults(folder)
