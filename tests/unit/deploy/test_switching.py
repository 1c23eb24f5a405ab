"""The switch to another version and back: one step for the version and its environment, wherever it is cut short."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doraflow.deploy.remote import switching
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import Place, Record, make, read_record, remove_unfinished, write_record

if TYPE_CHECKING:
    from collections.abc import Callable


class CutError(Exception):
    """The power is gone."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "flow/edge")
    make(made)
    return made


def add(place: Place, name: str, environment: str = "") -> None:
    """Bring a version, with an environment if one is named."""
    folder = place.version(name)
    folder.mkdir()
    (folder / "MANIFEST.json").write_text(json.dumps({"files": {}}))
    add_environment(place, name, environment)


def add_environment(place: Place, name: str, environment: str) -> None:
    """Prepare an environment for a version that is there."""
    python = "/usr/bin/python3"
    if environment:
        (place.environments / environment / "bin").mkdir(parents=True, exist_ok=True)
        python = str(place.environments / environment / "bin/python")
        Path(python).touch()
    switching.declare_whole(place, name, python)


def standing(place: Place) -> tuple[str, str]:
    """Name the version that is current, and the environment that those who look at `venv` find."""
    venv = place.root / "venv"
    return place.current(), venv.resolve().name if venv.exists() else ""


def as_earlier_deploys_left_it(place: Place, name: str, environment: str) -> None:
    """Lay the two links as deploys did that changed one after the other."""
    (place.root / "current").symlink_to(f"versions/{name}")
    if environment:
        (place.root / "venv").symlink_to(f"environments/{environment}")
    write_record(place, Record(read_record(place).whole, (name,)))


def links(place: Place) -> list[tuple[str, str]]:
    """List what is looked at from outside: the links of the folder, without what is half made."""
    return [(path.name, str(path.readlink())) for path in sorted(place.root.iterdir()) if path.is_symlink()]


def test_the_environment_belongs_to_the_version(place: Place) -> None:
    add(place, "v1", "one")
    switching.switch(place, "v1", 2, ())
    assert standing(place) == ("v1", "one")
    assert links(place) == [("current", "versions/v1"), ("venv", "current/venv")]
    add(place, "v2", "two")
    switching.switch(place, "v2", 2, ())
    assert standing(place) == ("v2", "two")
    assert switching.go_back(place) == ("v1", "v2")
    assert standing(place) == ("v1", "one")


def test_a_version_may_get_another_environment(place: Place) -> None:
    add(place, "v1")
    switching.switch(place, "v1", 2, ())
    assert standing(place) == ("v1", "")
    assert not os.path.lexists(place.root / "venv")
    (place.environments / "one/bin").mkdir(parents=True)
    switching.declare_whole(place, "v1", str(place.environments / "one/bin/python"))
    switching.switch(place, "v1", 2, ())
    assert standing(place) == ("v1", "one")


def cut_short(monkeypatch: pytest.MonkeyPatch, number: int, work: Callable[[], object]) -> bool:
    """Do some work to its n-th change of a name, and tell whether it got so far."""
    left = [number]
    real_replace, real_unlink = Path.replace, Path.unlink

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise CutError

    def replace(path: Path, to: Path) -> Path:
        count()
        return real_replace(path, to)

    def unlink(path: Path, **options: bool) -> None:
        count()
        real_unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        patch.setattr(Path, "unlink", unlink)
        try:
            work()
        except CutError:
            return True
    return False


@pytest.mark.parametrize(("before", "after"), [("one", "two"), ("one", ""), ("", "two"), ("", "")])
@pytest.mark.parametrize("layout", ["earlier", "present"])
@pytest.mark.parametrize("way", ["forth", "back"])
def test_a_switch_that_is_cut_short_leaves_a_version_with_its_own_environment(
    tmp_path: Path, before: str, after: str, layout: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    for number in range(50):
        place = Place(tmp_path / str(number))
        make(place)
        add(place, "v1", before)
        if layout == "present":
            switching.switch(place, "v1", 2, ())
        else:
            as_earlier_deploys_left_it(place, "v1", before)
        add(place, "v2", after)
        if way == "back":
            write_record(place, Record(read_record(place).whole, ("v2", "v1")))
        is_cut = cut_short(
            monkeypatch,
            number,
            lambda at=place: switching.go_back(at) if way == "back" else switching.switch(at, "v2", 2, ()),  # type: ignore[misc]  # bound at once
        )
        seen.add(standing(place))
        if standing(place)[0] == "v2":
            assert switching.switch(place, "v2", 2, ()) == "v2"
            assert read_record(place).order == (("v2",) if way == "back" else ("v1", "v2"))
        if not is_cut:
            break
    assert seen == {("v1", before), ("v2", after)}
    assert not is_cut


def test_a_host_of_an_earlier_layout_is_taken_over_and_can_go_back(place: Place) -> None:
    add(place, "v1", "one")
    add(place, "v2")
    as_earlier_deploys_left_it(place, "v1", "one")
    switching.switch(place, "v2", 2, ())
    assert (standing(place), links(place)) == (("v2", ""), [("current", "versions/v2")])
    switching.go_back(place)
    assert (standing(place), links(place)) == (("v1", "one"), [("current", "versions/v1"), ("venv", "current/venv")])


def test_a_host_of_an_earlier_layout_can_go_back_at_once(place: Place) -> None:
    add(place, "v1", "one")
    add(place, "v2", "two")
    as_earlier_deploys_left_it(place, "v2", "two")
    write_record(place, Record(read_record(place).whole, ("v1", "v2")))
    assert switching.go_back(place) == ("v1", "v2")
    assert standing(place) == ("v1", "one")


def test_what_was_laid_by_hand_keeps_its_environment_until_the_switch(place: Place, tmp_path: Path) -> None:
    by_hand = tmp_path / "by-hand"
    by_hand.mkdir()
    place.version("mine").mkdir()
    (place.root / "current").symlink_to("versions/mine")
    (place.root / "venv").symlink_to(by_hand)
    add(place, "v1", "one")
    switching.switch(place, "v1", 2, ())
    assert standing(place) == ("v1", "one")


def test_a_folder_at_venv_is_refused_before_the_switch_and_left_alone(place: Place) -> None:
    add(place, "v1", "one")
    switching.switch(place, "v1", 2, ())
    add(place, "v2")
    switching.switch(place, "v2", 2, ())
    (place.root / "venv").mkdir()
    with pytest.raises(RemoteError) as caught:
        switching.previous(place)
    venv = place.root / "venv"
    assert str(caught.value) == f"`{venv}` is a folder that no deploy made, and the version's environment goes there"
    assert caught.value.help == f"move it away there, such as `mv {venv} {venv}.by-hand`, and try again"
    switching.switch(place, "v2", 2, ())
    assert venv.is_dir()


def test_what_runs_in_a_unit_of_systemd_keeps_its_version_and_environment(place: Place) -> None:
    for name, environment in (("v1", "one"), ("v2", "two"), ("v3", "three")):
        add(place, name, environment)
        switching.switch(place, name, 0, ("v1",))
    assert sorted(path.name for path in place.versions.iterdir()) == ["v1", "v3"]
    assert sorted(path.name for path in place.environments.iterdir()) == ["one", "three"]
    remove_unfinished(place, read_record(place), ("v1",))
    assert place.version("v1").is_dir()


def test_what_was_laid_by_hand_stays_while_it_runs(place: Place) -> None:
    place.version("by-hand").mkdir()
    add(place, "v1")
    switching.switch(place, "v1", 2, ("by-hand",))
    assert place.version("by-hand").is_dir()
    switching.switch(place, "v1", 2, ())
    assert not place.version("by-hand").exists()


def test_the_environment_that_venv_leads_to_stays_where_another_was_prepared_for_the_version(place: Place) -> None:
    add(place, "v1", "one")
    switching.switch(place, "v1", 2, ())
    add_environment(place, "v1", "two")  # and no switch follows: another host has failed
    remove_unfinished(place, read_record(place))
    assert standing(place) == ("v1", "one")
    assert (place.environments / "one").is_dir()


def test_a_cut_switch_to_an_older_version_forgets_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("v2", "v3", "v1"):
        add(place, name)
        switching.switch(place, name, 2, ())
    written = [0]

    def write(place: Place, record: Record) -> None:
        written[0] += 1
        if written[0] > 1:
            raise CutError
        write_record(place, record)

    with monkeypatch.context() as patched:
        patched.setattr(switching, "write_record", write)
        with pytest.raises(CutError):
            switching.switch(place, "v2", 2, ())
    assert place.current() == "v2"
    assert switching.go_back(place) == ("v1", "v2")
    assert set(read_record(place).whole) == {"v1", "v2", "v3"}
