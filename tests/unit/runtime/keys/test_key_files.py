"""The text form of key files, and the folder that they are read from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doraflow_runtime.keys.files import HostKey, KeyFormatError, parse_key
from doraflow_runtime.keys.folder import KeyRingError, ring_folder
from doraflow_runtime.keys.ring import read_ring
from hypothesis import given
from hypothesis import strategies as st

MADE = "2026-01-31T12:00:00Z"
ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "keys"
    found.mkdir(mode=0o700)
    put(found, "edge.secret", HostKey("secret", "edge", MADE, ONE))
    put(found, "edge.public", HostKey("public", "edge", MADE, TWO))
    put(found, "gpu.public", HostKey("public", "gpu", MADE, THREE))
    return found


def put(folder: Path, name: str, key: HostKey) -> None:
    (folder / name).write_text(key.text())
    (folder / name).chmod(0o600)


def refusal(folder: Path, host: str = "edge") -> str:
    with pytest.raises(KeyRingError) as caught:
        read_ring(folder, host)
    said = f"{caught.value.message} | {caught.value.mend}"
    assert not any(key in said for key in (ONE, TWO, THREE))
    return said.replace(str(folder), "KEYS")


@given(
    st.sampled_from(["secret", "public"]),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", fullmatch=True),
    st.from_regex(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}", fullmatch=True),
)
def test_a_key_comes_back_as_it_was_written(kind: str, host: str, key: str) -> None:
    written = HostKey(kind, host, MADE, key)
    assert parse_key(written.text().encode()) == written


@given(st.binary(max_size=200))
def test_bytes_that_are_no_key_file_are_refused_and_not_repeated(content: bytes) -> None:
    with pytest.raises(KeyFormatError):
        parse_key(content)


GOOD = HostKey("public", "edge", MADE, ONE).text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it does not begin with `doraflow key 1`"),
        (GOOD.replace("key 1", "key 2"), "it is of another version than `doraflow key 1`"),
        (GOOD.replace("\n", "\r\n"), "it is of another version than `doraflow key 1`"),
        (GOOD.replace("public", "both"), "its kind is neither `secret` nor `public`"),
        (GOOD.replace("edge", "../edge"), "its `host` is damaged"),
        (GOOD.replace(MADE, "today"), "its `made` is damaged"),
        (GOOD.replace(ONE, ONE[1:]), "its `key` is damaged"),
        (GOOD.replace(ONE, ONE[1:] + "~"), "its `key` is damaged"),
        (GOOD + "more: 1\n", "its lines are not `kind`, `host`, `made`, `key`"),
        (GOOD + f"key: {TWO}\n", "its lines are not `kind`, `host`, `made`, `key`"),
    ],
)
def test_a_damaged_key_file_is_told_by_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(KeyFormatError, match=f"^{said}$".replace("*", r"\*")):
        parse_key(text.encode())


def test_a_ring_never_shows_its_keys(folder: Path) -> None:
    ring = read_ring(folder, "edge")
    assert repr(ring) == f"KeyRing(folder={folder!r}, host='edge')"
    assert ring.secret == ONE
    assert ring.hosts == {TWO: "edge", THREE: "gpu"}


def test_the_newer_of_two_keys_comes_first(folder: Path) -> None:
    put(folder, "gpu.public.old", HostKey("public", "gpu", MADE, "4" * 40))
    assert read_ring(folder, "edge").keys_of("gpu") == (THREE, "4" * 40)


def test_a_fingerprint_is_of_a_public_key_alone() -> None:
    assert len(HostKey("public", "edge", MADE, ONE).fingerprint()) == 39
    with pytest.raises(ValueError, match="a secret key has no fingerprint"):
        HostKey("secret", "edge", MADE, ONE).fingerprint()


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o750, 0o705, 0o777, 0o720])
def test_a_folder_that_others_can_reach_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert refusal(folder) == (
        f"`KEYS` can be read by others: its mode is {mode:03o}"
        " | run `chmod 700 KEYS`, and rotate the keys if others may have read them"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666, 0o611])
def test_a_secret_that_others_can_reach_is_refused(folder: Path, mode: int) -> None:
    (folder / "edge.secret").chmod(mode)
    assert refusal(folder).startswith(f"`KEYS/edge.secret` can be read by others: its mode is {mode:03o}")


def test_a_public_key_may_be_read_by_others_and_not_changed(folder: Path) -> None:
    (folder / "gpu.public").chmod(0o644)
    assert read_ring(folder, "edge").host_of(THREE) == "gpu"
    (folder / "gpu.public").chmod(0o664)
    assert refusal(folder).startswith("`KEYS/gpu.public` can be changed by others: its mode is 664")


@pytest.mark.parametrize("name", ["edge.secret", "gpu.public"])
def test_a_key_behind_a_link_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert refusal(folder) == (
        f"`KEYS/{name}` is a symbolic link, and what it leads to may change | put what it leads to in its place"
    )


def test_a_folder_behind_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert "is a symbolic link" in refusal(tmp_path / "link")


def test_a_key_that_is_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    (folder / "edge.secret").unlink()
    os.mkfifo(folder / "edge.secret", 0o600)
    assert refusal(folder).startswith("`KEYS/edge.secret` cannot be used as a key: it is no file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["", "edge.secret", "gpu.public"])
def test_what_belongs_to_another_user_is_refused(folder: Path, name: str) -> None:
    os.chown(folder / name, 12345, -1)
    assert "belongs to another user, who could choose the keys" in refusal(folder)


def test_a_missing_folder_or_secret_is_told_with_the_mend(folder: Path, tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert refusal(none).startswith("there are no keys in `KEYS`: it does not exist | make keys with")
    assert refusal(folder, "gpu") == (
        "there is no secret key of host `gpu` in `KEYS`"
        " | run `doraflow keys export gpu` where the keys were made, and copy what it writes to this host"
    )


def test_a_key_under_the_name_of_another_host_is_refused(folder: Path) -> None:
    put(folder, "gpu.public", HostKey("public", "edge", MADE, THREE))
    assert refusal(folder).startswith("`KEYS/gpu.public` holds the public key of host `edge`, not the public key")


def test_a_secret_under_the_name_of_a_public_key_is_refused(folder: Path) -> None:
    put(folder, "gpu.public", HostKey("secret", "gpu", MADE, THREE))
    assert refusal(folder).startswith("`KEYS/gpu.public` holds the secret key of host `gpu`, not the public key")


def test_one_key_for_two_hosts_is_refused(folder: Path) -> None:
    put(folder, "gpu.public", HostKey("public", "gpu", MADE, TWO))
    assert refusal(folder).startswith(
        "`KEYS/gpu.public` holds the same key as that of host `edge` | run `doraflow keys"
    )


def test_a_host_without_a_key_is_told(folder: Path) -> None:
    with pytest.raises(KeyRingError) as caught:
        read_ring(folder, "edge").keys_of("laptop")
    assert caught.value.message == f"the keys in `{folder}` hold none of host `laptop`"


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ({"HOME": "/h"}, None, "/h/.config/doraflow/keys/flow"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, None, "/c/doraflow/keys/flow"),
        ({"HOME": "/h", "DORAFLOW_KEYS": "/k"}, None, "/k"),
        ({"HOME": "/h", "DORAFLOW_KEYS": "/k"}, Path("/g"), "/g"),
    ],
)
def test_where_the_keys_lie(environment: dict[str, str], given: Path | None, expected: str) -> None:
    assert ring_folder("flow", environment, given) == Path(expected)


def test_a_folder_that_is_no_folder_is_told_as_that_and_not_as_a_matter_of_rights() -> None:
    with pytest.raises(KeyRingError) as told:
        read_ring(Path("/dev/null"), "robot")
    assert (str(told.value), told.value.mend) == (
        "`/dev/null` cannot be read: not a directory",
        "name a folder of keys",
    )
