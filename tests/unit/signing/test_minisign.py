"""The file format of minisign, against what minisign itself wrote, and against minisign where it is installed."""

from __future__ import annotations

import base64
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.bundles.minisign import (
    SignatureFormatError,
    is_signed,
    parse_public_keys,
    parse_signature,
    shown_number,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.signing.secret_keys import SecretKeyError, make_secret_key, needs_password, parse_secret_key
from tests.unit.signing import vectors

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("signature", "key"),
    [
        (vectors.SIGNATURE, vectors.PUBLIC),
        (vectors.LEGACY_SIGNATURE, vectors.PUBLIC),
        (vectors.OTHER_SIGNATURE, vectors.OTHER_PUBLIC),
    ],
)
def test_what_minisign_signed_is_signed(signature: str, key: str) -> None:
    keys = parse_public_keys(key)
    assert is_signed(vectors.TEXT, parse_signature(signature), keys)
    assert not is_signed(vectors.TEXT + b".", parse_signature(signature), keys)


def test_one_of_several_keys_is_enough() -> None:
    both = parse_public_keys(vectors.OTHER_PUBLIC + vectors.PUBLIC)
    assert is_signed(vectors.TEXT, parse_signature(vectors.SIGNATURE), both)
    assert not is_signed(vectors.TEXT, parse_signature(vectors.SIGNATURE), both[:1])


def test_keys_are_read_and_shown_as_minisign_does() -> None:
    for secret, password, public in (
        (vectors.OPEN_SECRET, "", vectors.PUBLIC),
        (vectors.ENCRYPTED_SECRET, vectors.PASSWORD, vectors.OTHER_PUBLIC),
    ):
        key = parse_secret_key(secret, password)
        assert key.public().text() == public
        assert shown_number(key.number) == public.split()[5]
        assert vectors.PASSWORD not in repr(key)
        assert base64.b64encode(key.seed).decode() not in repr(key)
    assert needs_password(vectors.ENCRYPTED_SECRET)
    assert not needs_password(vectors.OPEN_SECRET)


@pytest.mark.parametrize(
    ("text", "password", "said"),
    [
        (vectors.ENCRYPTED_SECRET, "wrong", "the password is wrong"),
        ("", "", "it is no secret key of minisign"),
        ("untrusted comment:\n????", "", "it is no secret key of minisign"),
        (vectors.PUBLIC, "", "it is no secret key of minisign"),
        (vectors.OPEN_SECRET.replace("RWQAAE", "RWQAAF"), "", "it is of a kind that is not known"),
        (vectors.OPEN_SECRET.replace("EvXqts", "EvXqtt"), "", "it is damaged"),
    ],
)
def test_a_secret_key_that_cannot_be_used_is_told(text: str, password: str, said: str) -> None:
    with pytest.raises(SecretKeyError) as caught:
        parse_secret_key(text, password)
    assert str(caught.value) == said


def test_a_password_cannot_ask_for_all_memory() -> None:
    content = bytearray(base64.b64decode(vectors.ENCRYPTED_SECRET.splitlines()[1]))
    content[46:54] = (2**40).to_bytes(8, "little")
    text = f"untrusted comment:\n{base64.b64encode(content).decode()}\n"
    with pytest.raises(SecretKeyError, match="more memory or work than minisign ever does"):
        parse_secret_key(text, "secret")


@given(st.binary(max_size=300), st.from_regex(r"[^\n\r\x00-\x1f]{0,60}", fullmatch=True))
@settings(deadline=None)
def test_what_is_signed_here_is_signed_and_nothing_near_it_is(content: bytes, comment: str) -> None:
    key = make_secret_key()
    written = key.sign(content, comment)
    signature = parse_signature(written)
    keys = parse_public_keys(key.public().text())
    assert is_signed(content, signature, keys)
    assert not is_signed(content + b"\0", signature, keys)
    assert not is_signed(content, parse_signature(written.replace("trusted comment: ", "trusted comment: .", 2)), keys)
    assert parse_secret_key(key.text()).seed == key.seed


@given(st.integers(min_value=0), st.integers(1, 255))
@settings(deadline=None, max_examples=200)
def test_a_signature_with_a_changed_byte_is_none(place: int, change: int) -> None:
    content = bytearray(vectors.SIGNATURE.encode())
    start = len("untrusted comment: ")  # of the first line only the label is looked at
    first_line = content.index(b"\n")
    at = place % len(content)
    if start <= at < first_line:
        return
    content[at] ^= change
    try:
        signature = parse_signature(content.decode("utf-8", "surrogateescape"))
    except SignatureFormatError:
        return
    assert not is_signed(vectors.TEXT, signature, parse_public_keys(vectors.PUBLIC))


@given(st.text(max_size=300))
def test_a_text_that_is_none_is_refused(text: str) -> None:
    for parse in (parse_signature, parse_public_keys):
        with pytest.raises(SignatureFormatError):
            parse(text)


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")
def test_minisign_itself_takes_keys_and_signatures_of_ours(tmp_path: Path) -> None:
    key = make_secret_key()
    (tmp_path / "key").write_text(key.text())
    (tmp_path / "key.pub").write_text(key.public().text())
    (tmp_path / "ours").write_bytes(b"content")
    (tmp_path / "ours.minisig").write_text(key.sign(b"content", "timestamp:1\tfile:ours\thashed"))
    (tmp_path / "theirs").write_bytes(b"content")
    for command in (["-V", "-p", "key.pub", "-m", "ours"], ["-S", "-s", "key", "-m", "theirs"]):
        done = subprocess.run(["minisign", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    signature = parse_signature((tmp_path / "theirs.minisig").read_text())
    assert is_signed(b"content", signature, parse_public_keys(key.public().text()))
