"""Signatures in minisign's file format: public keys and signatures read, and signatures checked.

The arithmetic is that of the package `cryptography`, imported only when something is checked. Nothing signs here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

PLAIN = b"Ed"
HASHED = b"ED"
UNTRUSTED = "untrusted comment: "
TRUSTED = "trusted comment: "

_KEY_BYTES = 42
_SIGNATURE_BYTES = 74


class SignatureFormatError(ValueError):
    """A text that is no key or signature of minisign; the message says why."""


class CryptographyMissingError(Exception):
    """The package that checks signatures is not installed."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signatures are trusted; `number` only tells keys apart."""

    number: bytes
    key: bytes

    def text(self) -> str:
        """Write the key's file."""
        encoded = base64.b64encode(PLAIN + self.number + self.key).decode()
        return f"{UNTRUSTED}minisign public key {shown_number(self.number)}\n{encoded}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a file. `seal` signs the signature together with the trusted comment."""

    algorithm: bytes
    number: bytes
    signature: bytes
    comment: str
    seal: bytes


def shown_number(number: bytes) -> str:
    """Write the number of a key as minisign does.

    >>> shown_number(bytes(range(8)))
    '706050403020100'
    """
    return f"{int.from_bytes(number, 'little'):X}"


def parse_public_keys(text: str) -> tuple[PublicKey, ...]:
    """Read the public keys of a file: one, or several one after the other. Raises SignatureFormatError."""
    lines = [line for line in text.splitlines() if line and not line.startswith(UNTRUSTED)]
    keys = [_decoded(line, _KEY_BYTES, "a public key of minisign") for line in lines]
    if not keys or any(key[:2] != PLAIN for key in keys):
        raise SignatureFormatError("it holds no public key of minisign")
    return tuple(PublicKey(key[2:10], key[10:]) for key in keys)


def parse_signature(text: str) -> Signature:
    """Read a signature file. Raises SignatureFormatError."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) != 4 or not lines[0].startswith(UNTRUSTED) or not lines[2].startswith(TRUSTED):
        raise SignatureFormatError("it is no signature of minisign")
    body = _decoded(lines[1], _SIGNATURE_BYTES, "a signature of minisign")
    if body[:2] not in (PLAIN, HASHED):
        raise SignatureFormatError("it is no signature of minisign")
    seal = _decoded(lines[3], 64, "a signature of minisign")
    return Signature(body[:2], body[2:10], body[10:], lines[2].removeprefix(TRUSTED), seal)


def _decoded(line: str, length: int, what: str) -> bytes:
    try:
        content = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureFormatError(f"it holds a line that is no part of {what}") from None
    if len(content) != length:
        raise SignatureFormatError(f"it holds a line that is no part of {what}")
    return content


def is_signed(content: bytes, signature: Signature, keys: tuple[PublicKey, ...]) -> bool:
    """Tell whether one of some keys has signed a content, and the trusted comment with it.

    Raises CryptographyMissingError.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise CryptographyMissingError from error
    message = hashlib.blake2b(content).digest() if signature.algorithm == HASHED else content
    sealed = signature.signature + signature.comment.encode("utf-8", "surrogateescape")
    for key in keys:
        if key.number != signature.number:
            continue
        try:
            verifier = Ed25519PublicKey.from_public_bytes(key.key)
            verifier.verify(signature.signature, message)
            verifier.verify(signature.seal, sealed)
        except InvalidSignature:
            continue
        return True
    return False
