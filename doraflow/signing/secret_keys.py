"""Secret keys in minisign's file format: made, read with a password or without, and used.

Checking is in `doraflow_runtime.bundles.minisign`. The package `cryptography` is imported only when something is done.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.minisign import HASHED, PLAIN, TRUSTED, UNTRUSTED, PublicKey, shown_number

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NO_PASSWORD = b"\0\0"
_SCRYPT = b"Sc"
_BLAKE = b"B2"
_FILE = struct.Struct("<2s2s2s32sQQ104s")
_BODY = struct.Struct("<8s64s32s")
_UNCHECKED = bytes(32)
_MOST_WORK = 2**26
_MOST_MEMORY = 2**30


class SecretKeyError(Exception):
    """A secret key that cannot be used; the message says why, and never holds any of it."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """What signs; `seed` makes the pair."""

    number: bytes
    seed: bytes = field(repr=False)

    def public(self) -> PublicKey:
        """Give the half that others trust."""
        return PublicKey(self.number, _signer(self.seed).public_key().public_bytes_raw())

    def text(self) -> str:
        """Write the key's file, without a password."""
        body = _BODY.pack(self.number, self.seed + self.public().key, _UNCHECKED)
        content = _FILE.pack(PLAIN, _NO_PASSWORD, _BLAKE, bytes(32), 0, 0, body)
        return f"{UNTRUSTED}minisign secret key\n{base64.b64encode(content).decode()}\n"

    def sign(self, content: bytes, comment: str) -> str:
        """Write the signature file of a content; the comment is signed too, and holds no line end."""
        signer = _signer(self.seed)
        signature = signer.sign(hashlib.blake2b(content).digest())
        seal = signer.sign(signature + comment.encode())
        first = base64.b64encode(HASHED + self.number + signature).decode()
        named = f"{UNTRUSTED}signature by key {shown_number(self.number)}"
        return f"{named}\n{first}\n{TRUSTED}{comment}\n{base64.b64encode(seal).decode()}\n"


def make_secret_key() -> SecretKey:
    """Make a fresh key."""
    return SecretKey(secrets.token_bytes(8), secrets.token_bytes(32))


def needs_password(text: str) -> bool:
    """Tell whether a secret key's file is encrypted. Raises SecretKeyError."""
    return _unpacked(text)[1] == _SCRYPT


def parse_secret_key(text: str, password: str = "") -> SecretKey:
    """Read a secret key's file. Raises SecretKeyError."""
    algorithm, derivation, checksum, salt, work, memory, body = _unpacked(text)
    if (algorithm, checksum) != (PLAIN, _BLAKE) or derivation not in (_NO_PASSWORD, _SCRYPT):
        raise SecretKeyError("it is of a kind that is not known")
    if derivation == _SCRYPT:
        stream = _stream(password, salt, work, memory)
        body = bytes(left ^ right for left, right in zip(body, stream, strict=True))
    number, pair, check = _BODY.unpack(body)
    # Without a password minisign writes no digest; whether the halves belong together tells of damage all the same.
    computed = hashlib.blake2b(PLAIN + number + pair, digest_size=32).digest() if derivation == _SCRYPT else _UNCHECKED
    key = SecretKey(number, pair[:32])
    if not secrets.compare_digest(computed, check) or key.public().key != pair[32:]:
        raise SecretKeyError("the password is wrong" if derivation == _SCRYPT else "it is damaged")
    return key


def _unpacked(text: str) -> tuple[bytes, bytes, bytes, bytes, int, int, bytes]:
    lines = text.splitlines()
    try:
        content = base64.b64decode(lines[1], validate=True)
        algorithm, derivation, checksum, salt, work, memory, body = _FILE.unpack(content)
    except (IndexError, binascii.Error, ValueError, struct.error):
        raise SecretKeyError("it is no secret key of minisign") from None
    return algorithm, derivation, checksum, salt, work, memory, body


def _stream(password: str, salt: bytes, work: int, memory: int) -> bytes:
    """Derive what a body is encrypted with; the factors follow from the limits as in libsodium."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    if work > _MOST_WORK or memory > _MOST_MEMORY:
        raise SecretKeyError("its password asks for more memory or work than minisign ever does")
    work, block = max(work, 32768), 8
    is_bound_by_work = work < memory // 32
    most = work // (block * 4) if is_bound_by_work else memory // (block * 128)
    exponent = next(each for each in range(1, 64) if 2**each > most // 2)
    parallel = 1 if is_bound_by_work else min(work // 4 // 2**exponent, 0x3FFFFFFF) // block
    return Scrypt(salt=salt, length=_BODY.size, n=2**exponent, r=block, p=parallel).derive(password.encode())


def _signer(seed: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)
