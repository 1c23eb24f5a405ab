"""A bundle signed: its manifest, which holds the digest of every other file, gets a signature beside it."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.contents import (
    MANIFEST,
    SIGNATURE,
    ManifestError,
    differing,
    read_digests,
    strangers,
)

from doraflow.signing.secret_keys import SecretKeyError, make_secret_key, needs_password, parse_secret_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow.diagnostics import Sink
    from doraflow.signing.secret_keys import SecretKey

_CODE = "DF855"


def sign_bundle(bundle: Path, key: SecretKey, sink: Sink) -> Path | None:
    """Sign a bundle that is as it was built, with nothing else in it; None after a finding."""
    path = bundle / MANIFEST
    try:
        manifest = path.read_bytes()
        digests = read_digests(manifest)
        found = [*differing(bundle, digests), *strangers(bundle, digests)]
    except (OSError, ManifestError) as error:
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        found = [(f"`{bundle}` cannot be signed: `{path}`: {reason}", "name the folder of a bundle")]
    for message, mend in found:
        sink.error("DF804", message, help=mend)
    if found:
        return None
    comment = f"timestamp:{int(datetime.now(UTC).timestamp())}\tfile:{MANIFEST}\thashed"
    try:
        return _write(bundle / SIGNATURE, key.sign(manifest, comment))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sink.error("DF701", f"`{bundle}` cannot be written: {reason}", help=f"get the right to write to `{bundle}`")
        return None


def read_signing_key(path: Path, ask: Callable[[], str], sink: Sink) -> SecretKey | None:
    """Read the key that signs; `ask` gives the password of one that has one. None after a finding."""
    try:
        if path.stat().st_mode & 0o077:
            message = f"`{path}` can be read by others: its mode is {path.stat().st_mode & 0o777:03o}"
            sink.error(_CODE, message, help=f"run `chmod 600 {path}`, and make another key if others may have read it")
            return None
        text = path.read_text(encoding="ascii", errors="replace")
        return parse_secret_key(text, ask() if needs_password(text) else "")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sink.error(_CODE, f"`{path}` cannot be read: {reason}", help="make a key with `doraflow keys signing FILE`")
    except SecretKeyError as error:
        sink.error(_CODE, f"`{path}` cannot sign: {error}", help="name the secret key that minisign or doraflow wrote")
    except ImportError:
        _tell_missing(sink)
    return None


def write_signing_pair(path: Path, sink: Sink) -> Path | None:
    """Make a pair that signs: the secret half at `path`, and the public half beside it, which is given; None if not."""
    public = path.with_name(f"{path.name}.pub")
    for each in (path, public):
        if os.path.lexists(each):
            sink.error(_CODE, f"`{each}` is there already, and would be lost", help="name another file")
            return None
    try:
        key = make_secret_key()
        secret, shown = key.text(), key.public().text()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as stream:
            stream.write(secret)
        return _write(public, shown)
    except ImportError:
        _tell_missing(sink)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sink.error(_CODE, f"`{path}` cannot be written: {reason}", help=f"get the right to write to `{path.parent}`")
    return None


def _tell_missing(sink: Sink) -> None:
    sink.error(
        _CODE,
        "nothing can be signed: the package `cryptography` is not installed",
        help="pip install cryptography",
    )


def _write(path: Path, text: str) -> Path:
    """Write a file that all may read, at once."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return path
