"""Signed bundles: any change of any file is found, and nobody else's signature counts."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.bundles.trust import TrustError, check_signed, find_trusted, read_trusted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doraflow.diagnostics import Sink
from doraflow.signing.bundle import read_signing_key, sign_bundle, write_signing_pair
from doraflow.signing.secret_keys import SecretKey, make_secret_key
from tests.unit.signing import vectors

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "launch_local.py": b"1",
    "nodes/a.py": b"two",
    "nodes/model.bin": bytes(range(256)),
    "wiring/local.json": b"{}",
}
KEY = SecretKey(b"12345678", bytes(32))
KEYS = (KEY.public(),)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    table = {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in FILES.items()}
    (folder / "MANIFEST.json").write_text(json.dumps({"dataflow": "d", "files": table}))
    sink = Sink()
    assert sign_bundle(folder, KEY, sink) == folder / "MANIFEST.json.minisig", sink.found
    return folder


def refusal(bundle: Path, keys: tuple[object, ...] = KEYS) -> list[str]:
    with pytest.raises(TrustError) as caught:
        check_signed(bundle, keys)  # type: ignore[arg-type]  # a test may hand over none
    return [message for message, _ in caught.value.found]


def test_a_bundle_as_it_was_signed_is_trusted(bundle: Path) -> None:
    comment = check_signed(bundle, KEYS)
    assert comment.startswith("timestamp:")
    assert comment.endswith("\tfile:MANIFEST.json\thashed")


@given(st.sampled_from([*sorted(FILES), "MANIFEST.json"]), st.integers(min_value=0), st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_every_changed_byte_is_found(bundle: Path, name: str, place: int, change: int) -> None:
    path = bundle / name
    before = path.read_bytes()
    content = bytearray(before)
    content[place % len(content)] ^= change
    path.write_bytes(content)
    try:
        assert len(refusal(bundle)) == 1
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_removed_file_is_found(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert refusal(bundle) == [f"`{name}` of the bundle is missing"]


@pytest.mark.parametrize(
    "name", ["x.txt", ".hidden", "nodes/x.py", "nodes/__pycache__/a.cpython-311.pyc", "new/deep/x", "sitecustomize.py"]
)
def test_every_added_file_is_found(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_bytes(b"")
    assert refusal(bundle) == [f"`{name}` lies in the signed bundle, and the signature does not cover it"]


@pytest.mark.parametrize("name", ["nodes/a.py", "nodes"])
def test_every_link_is_found_though_it_leads_to_the_same_content(bundle: Path, tmp_path: Path, name: str) -> None:
    (bundle / name).rename(tmp_path / "aside")
    (bundle / name).symlink_to(tmp_path / "aside")
    assert refusal(bundle) == [f"`{name}` of the signed bundle is a symbolic link"]


def test_an_unsigned_bundle_is_refused(bundle: Path) -> None:
    (bundle / "MANIFEST.json.minisig").unlink()
    assert refusal(bundle) == [f"the bundle `{bundle}` is not signed, and a trusted key is set"]


def test_the_signature_of_another_is_refused(bundle: Path) -> None:
    other = SecretKey(b"abcdefgh", bytes(range(32)))
    assert sign_bundle(bundle, other, Sink()) is not None
    reason = "it is signed by key `6867666564636261`, and trusted are `3837363534333231`"
    assert refusal(bundle) == [f"the bundle `{bundle}` is not to be trusted: {reason}"]


def test_the_number_of_a_key_does_not_make_it_trusted(bundle: Path) -> None:
    forger = SecretKey(KEY.number, bytes(range(32)))
    assert sign_bundle(bundle, forger, Sink()) is not None
    assert refusal(bundle) == [f"the bundle `{bundle}` is not to be trusted: its signature is not of this manifest"]


def test_the_signature_of_an_older_build_does_not_fit_the_new_one(bundle: Path) -> None:
    signature = (bundle / "MANIFEST.json.minisig").read_bytes()
    (bundle / "nodes/a.py").write_bytes(b"three")
    table = json.loads((bundle / "MANIFEST.json").read_text())
    table["files"]["nodes/a.py"]["sha256"] = hashlib.sha256(b"three").hexdigest()
    (bundle / "MANIFEST.json").write_text(json.dumps(table))
    assert sign_bundle(bundle, KEY, Sink()) is not None
    check_signed(bundle, KEYS)
    (bundle / "MANIFEST.json.minisig").write_bytes(signature)
    assert refusal(bundle) == [f"the bundle `{bundle}` is not to be trusted: its signature is not of this manifest"]


def test_without_the_library_nothing_is_trusted(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    assert refusal(bundle) == ["signatures cannot be checked: the package `cryptography` is not installed"]


@pytest.mark.parametrize("change", ["edit", "add"])
def test_a_bundle_that_is_not_as_it_was_built_is_not_signed(bundle: Path, change: str) -> None:
    before = (bundle / "MANIFEST.json.minisig").read_bytes()
    (bundle / ("nodes/a.py" if change == "edit" else "nodes/b.py")).write_bytes(b"")
    sink = Sink()
    assert sign_bundle(bundle, make_secret_key(), sink) is None
    assert [finding.code for finding in sink.found] == ["DF804"]
    assert (bundle / "MANIFEST.json.minisig").read_bytes() == before


def test_a_pair_that_signs_is_private_and_never_overwritten(tmp_path: Path) -> None:
    sink = Sink()
    assert write_signing_pair(tmp_path / "key", sink) == tmp_path / "key.pub"
    assert f"{(tmp_path / 'key').stat().st_mode & 0o777:o}" == "600"
    made = read_signing_key(tmp_path / "key", lambda: "", sink)
    assert made is not None
    assert read_trusted([tmp_path / "key.pub"]) == (made.public(),)
    assert sink.found == []
    assert write_signing_pair(tmp_path / "key", sink) is None
    assert [finding.message for finding in sink.found] == [f"`{tmp_path / 'key'}` is there already, and would be lost"]


def test_a_signing_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_signing_pair(tmp_path / "key", Sink())
    (tmp_path / "key").chmod(0o640)
    sink = Sink()
    assert read_signing_key(tmp_path / "key", lambda: "", sink) is None
    assert [finding.message for finding in sink.found] == [
        f"`{tmp_path / 'key'}` can be read by others: its mode is 640"
    ]


def test_trusted_keys_that_others_can_change_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trusted.pub"
    path.write_text(vectors.PUBLIC)
    path.chmod(0o644)
    assert len(read_trusted([path])) == 1
    for place, mode in ((path, 0o664), (path, 0o646), (tmp_path, 0o777)):
        before = place.stat().st_mode
        place.chmod(mode)
        with pytest.raises(
            TrustError, match=f"`{place}` can be changed by other users, who could choose whom to trust"
        ):
            read_trusted([path])
        place.chmod(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_trusted_keys_of_another_user_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trusted.pub"
    path.write_text(vectors.PUBLIC)
    path.chmod(0o600)
    os.chown(path, 12345, -1)
    with pytest.raises(TrustError, match="can be changed by other users"):
        read_trusted([path])


def test_where_trusted_keys_are_looked_for(tmp_path: Path) -> None:
    base = tmp_path / "doraflow" / "keys"
    base.mkdir(parents=True)
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    given = (tmp_path / "given.pub",)
    assert find_trusted((), None, environment) == ()
    (base / "trusted.pub").symlink_to("nowhere")  # a broken link asks for a signature too
    assert find_trusted((), None, environment) == (base / "trusted.pub",)
    assert find_trusted((), tmp_path, environment) == ()
    assert find_trusted(given, None, environment) == given


def test_a_trusted_key_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(TrustError) as told:
        read_trusted([tmp_path / "nowhere.pub"])
    ((message, mend),) = told.value.found
    assert message.endswith("cannot be read: no such file or directory")
    assert mend.startswith("name a file that is there")
