"""Keys handed to hosts: which are written, replaced and removed, and which a deploy leaves alone."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.keys.folder import ring_folder

from doraflow.deploy.errors import DeployError
from doraflow.deploy.key_parcels import Parcel, weighed
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.keys import folder_of
from doraflow.deploy.reports import HandedKeys
from doraflow.keys.exporting import export_keys, needed_keys
from doraflow.keys.pairs import make_keys, retire_keys, rotate_keys
from tests.unit.deploy.test_conversation import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from doraflow.deploy.session import Session

EVERYTHING = ("a.secret", "a.public", "b.public")


def parcel(ring: Path, *, replaces: bool = False) -> Parcel:
    return Parcel("flow", "a", {name: key.text() for name, key in needed_keys(ring, "a").items()}, replaces)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    make_keys(tmp_path / "ring", ["a", "b"])
    return tmp_path / "ring"


@pytest.fixture
def host(tmp_path: Path, ring: Path) -> Path:
    """The keys of `a`, as they were handed to it."""
    export_keys(ring, "a", tmp_path / "host")
    return tmp_path / "host"


def damage(host: Path) -> None:
    (host / "a.secret").write_text("damaged\n")


def missed(ring: Path) -> None:
    """Rotate twice: the host was away when the first key was retired."""
    rotate_keys(ring, ["b"])
    retire_keys(ring, ["b"])


@pytest.mark.parametrize(
    ("meanwhile", "handed"),
    [
        (lambda _ring, _host: None, HandedKeys()),
        (
            lambda ring, _host: rotate_keys(ring, ["a"]),
            HandedKeys(("a.public.old",), ("a.secret", "a.public")),
        ),
        (lambda ring, _host: rotate_keys(ring, ["b"]), HandedKeys(("b.public.old",), ("b.public",))),
        (lambda ring, _host: make_keys(ring, ["c"]), HandedKeys(("c.public",))),
        (lambda _ring, host: damage(host), HandedKeys((), ("a.secret",))),
        (lambda _ring, host: (host / "b.public").unlink(), HandedKeys(("b.public",))),
        (lambda _ring, host: (host / "b.public").rename(host / "x.public"), HandedKeys(("b.public",))),
    ],
    ids=["nothing", "own key rotated", "other key rotated", "new host", "damage", "loss", "key of a stranger"],
)
def test_what_the_ring_knows_is_brought_up_to_date(
    ring: Path, host: Path, meanwhile: Callable[[Path, Path], object], handed: HandedKeys
) -> None:
    meanwhile(ring, host)
    assert weighed(parcel(ring), str(host), digests(host)).handed == handed


def test_a_host_without_keys_gets_all_that_it_needs(ring: Path) -> None:
    made = weighed(parcel(ring), "/keys", {})
    assert sorted(made.handed.added) == sorted(EVERYTHING)
    assert "b.secret" not in made.put


def test_an_old_key_goes_when_it_was_retired(ring: Path, host: Path) -> None:
    rotate_keys(ring, ["b"])
    export_keys(ring, "a", host)
    retire_keys(ring, ["b"])
    assert weighed(parcel(ring), str(host), digests(host)).handed == HandedKeys((), (), ("b.public.old",))
    rotate_keys(ring, ["b"])
    assert weighed(parcel(ring), str(host), digests(host)).handed == HandedKeys((), ("b.public", "b.public.old"))


def test_a_key_that_was_not_made_here_stays_unless_it_is_to_be_replaced(tmp_path: Path, ring: Path, host: Path) -> None:
    rotate_keys(ring, ["b"])
    missed_one = parcel(ring)
    retire_keys(ring, ["b"])
    rotate_keys(ring, ["b"])
    for there, first, others in (
        (digests(host), "b.public", ""),
        ({"a.secret": "0" * 64}, "a.secret", ""),
        ({"a.secret": "0" * 64, "a.public": "0" * 64}, "a.secret", " and 1 more"),
    ):
        with pytest.raises(DeployError) as caught:
            weighed(parcel(ring), "/keys", there)
        assert caught.value.code == "DF852"
        assert str(caught.value) == (f"on `a`: `/keys/{first}`{others} was not made here, and no key there was changed")
        assert first in weighed(parcel(ring, replaces=True), "/keys", there).handed.replaced
    assert weighed(missed_one, str(host), digests(host)).handed.replaced == ("b.public",)
    assert tmp_path.exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": "/home/ann"},
        {"HOME": "/home/ann", "XDG_CONFIG_HOME": "/etc/ann"},
        {"HOME": "/home/ann", "DORAFLOW_KEYS": "/keys"},
        {"HOME": "/home/ann", "DORAFLOW_KEYS": "keys"},
        {},
    ],
)
def test_the_folder_is_the_one_where_launchers_look(environment: dict[str, str]) -> None:
    assert folder_of("flow", environment) == ring_folder("flow", environment)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(RemoteError, match="is no name for a folder of keys"):
        folder_of(name, {"HOME": "/home/ann"})


@contextmanager
def talking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.delenv("DORAFLOW_KEYS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with session(tmp_path / "base", host="a") as opened:
        yield opened


def test_keys_arrive_for_their_user_alone_and_go_with_their_retirement(
    tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "config/doraflow/keys/flow"
    with talking(tmp_path, monkeypatch) as opened:
        assert opened.look_at_keys("flow") == (str(there), {})
        opened.hand_keys(weighed(parcel(ring), *opened.look_at_keys("flow")))
        assert {path.name: path.read_text() for path in there.iterdir()} == dict(parcel(ring).files)
        assert {path.stat().st_mode & 0o777 for path in there.iterdir()} == {0o600}
        assert there.stat().st_mode & 0o777 == 0o700
        rotate_keys(ring, ["a", "b"])
        opened.hand_keys(weighed(parcel(ring), *opened.look_at_keys("flow")))
        retire_keys(ring, ["a", "b"])
        (there / "trusted.pub").write_text("of somebody who signs bundles")
        opened.hand_keys(weighed(parcel(ring), *opened.look_at_keys("flow")))
        assert sorted(path.name for path in there.iterdir()) == sorted([*EVERYTHING, "trusted.pub"])
        assert weighed(parcel(ring), *opened.look_at_keys("flow")).handed == HandedKeys()


def test_keys_that_someone_changes_meanwhile_are_not_overwritten(
    tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "config/doraflow/keys/flow"
    with talking(tmp_path, monkeypatch) as opened:
        handing = weighed(parcel(ring), *opened.look_at_keys("flow"))
        there.mkdir(parents=True, mode=0o700)
        (there / "a.secret").write_text("of somebody else")
        with pytest.raises(DeployError, match="were changed by someone else just now"):
            opened.hand_keys(handing)
        assert [(path.name, path.read_text()) for path in there.iterdir()] == [("a.secret", "of somebody else")]


@pytest.mark.parametrize("fault", ["open to others", "a link", "a link as a file", "a folder as a file"])
def test_a_place_that_others_can_reach_gets_no_key(
    tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    there = tmp_path / "config/doraflow/keys/flow"
    there.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    match fault:
        case "open to others":
            there.mkdir()
            there.chmod(0o750)
        case "a link":
            there.symlink_to(elsewhere)
        case "a link as a file":
            there.mkdir(mode=0o700)
            (there / "a.secret").symlink_to(elsewhere / "x")
        case "a folder as a file":
            (there / "a.secret").mkdir(parents=True)
            there.chmod(0o700)
    with talking(tmp_path, monkeypatch) as opened, pytest.raises(DeployError, match="cannot hold keys") as caught:
        weighed(parcel(ring), *opened.look_at_keys("flow"))
    assert caught.value.code == "DF852"
    assert list(elsewhere.iterdir()) == []
