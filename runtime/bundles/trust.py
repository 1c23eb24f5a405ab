"""Whose bundles may be launched: where the trusted keys lie, and the check of a bundle against them.

The keys are files of minisign. Nobody but the user and root may be able to change them.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.contents import (
    COPY_AGAIN,
    MANIFEST,
    SIGNATURE,
    ManifestError,
    differing,
    read_digests,
    strangers,
)
from doraflow_runtime.bundles.minisign import (
    CryptographyMissingError,
    SignatureFormatError,
    is_signed,
    parse_public_keys,
    parse_signature,
    shown_number,
)
from doraflow_runtime.keys.folder import ring_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.bundles.minisign import PublicKey, Signature

TRUSTED_FILE = "trusted.pub"
LARGEST_MANIFEST = 64 * 2**20
_LARGEST_FILE = 64 * 1024


class TrustError(Exception):
    """A bundle that is not to be launched, or keys that cannot say so: messages, each with its mend."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__("; ".join(message for message, _ in found))
        self.found = found


def find_trusted(given: Sequence[Path], keys: Path | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Find the files of trusted keys: those given, else `trusted.pub` in the folder of keys; none if there is none.

    That folder is `keys`, `DORAFLOW_KEYS`, or the one that holds the rings of all dataflows: which one a bundle belongs
    to is told by itself, and cannot decide whether it is to be trusted.
    """
    if given:
        return tuple(given)
    found = ring_folder("", environment, keys) / TRUSTED_FILE
    return (found,) if os.path.lexists(found) else ()


def read_trusted(paths: Sequence[Path]) -> tuple[PublicKey, ...]:
    """Read files of trusted keys. Raises TrustError."""
    return tuple(key for path in paths for key in _read_trusted(path))


def check_signed(bundle: Path, keys: tuple[PublicKey, ...]) -> str:
    """Check that one of `keys` has signed the manifest, and that the bundle holds what that lists and nothing else.

    Gives the trusted comment of the signature. Raises TrustError with everything that was found.
    """
    manifest = _read(bundle / MANIFEST, LARGEST_MANIFEST)
    signature = _signature(bundle)
    try:
        is_trusted = is_signed(manifest, signature, keys)
    except CryptographyMissingError:
        raise TrustError(
            ("signatures cannot be checked: the package `cryptography` is not installed", "pip install cryptography")
        ) from None
    if not is_trusted:
        names = ", ".join(f"`{shown_number(key.number)}`" for key in keys)
        if signature.number in {key.number for key in keys}:
            reason = "its signature is not of this manifest"
        else:
            reason = f"it is signed by key `{shown_number(signature.number)}`, and trusted are {names}"
        raise TrustError((f"the bundle `{bundle}` is not to be trusted: {reason}", _sign_mend(bundle)))
    try:
        digests = read_digests(manifest)
    except ManifestError as error:
        raise TrustError((f"`{bundle / MANIFEST}` cannot be used: {error}", COPY_AGAIN)) from error
    found = [*differing(bundle, digests), *strangers(bundle, digests)]
    if found:
        raise TrustError(*found)
    return signature.comment


def _signature(bundle: Path) -> Signature:
    path = bundle / SIGNATURE
    if not os.path.lexists(path):
        raise TrustError((f"the bundle `{bundle}` is not signed, and a trusted key is set", _sign_mend(bundle)))
    try:
        return parse_signature(_read(path, _LARGEST_FILE).decode("utf-8", "surrogateescape"))
    except SignatureFormatError as error:
        raise TrustError((f"`{path}` cannot be used: {error}", _sign_mend(bundle))) from None


def _read_trusted(path: Path) -> tuple[PublicKey, ...]:
    for place in (path, path.absolute().parent):
        try:
            status = place.stat()
        except OSError as error:
            raise _unreadable(place, error) from error
        is_sticky_folder = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_uid not in (os.geteuid(), 0) or (status.st_mode & 0o022 and not is_sticky_folder):
            raise TrustError(
                (
                    f"`{place}` can be changed by other users, who could choose whom to trust",
                    f"run `chmod go-w {place}`, and let it belong to you or root",
                )
            )
    try:
        return parse_public_keys(_read(path, _LARGEST_FILE).decode("utf-8", "surrogateescape"))
    except SignatureFormatError as error:
        raise TrustError((f"`{path}` cannot be used: {error}", "name a public key that minisign wrote")) from None


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > most:
        raise TrustError((f"`{path}` cannot be used: it is too large", COPY_AGAIN))
    return content


def _unreadable(path: Path, error: OSError) -> TrustError:
    reason = (error.strerror or str(error)).lower()
    mend = f"get the right to read `{path}`, or name another file"
    if error.errno not in (errno.EACCES, errno.EPERM):
        mend = f"name a file that is there in the place of `{path}`"
    return TrustError((f"`{path}` cannot be read: {reason}", mend))


def _sign_mend(bundle: Path) -> str:
    return f"sign it where it was built: `doraflow sign {bundle.name} --key FILE`"
