"""Entries of the result cache on disk: one file for each, private, whole or ignored, and bounded in number and size.

What an entry means is for its users. A cache that cannot be read or written costs time and nothing else, so no fault of
the disk is told from here.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from doraflow.cli.cache import cache_base

LARGEST_ENTRY = 64 * 2**20
LARGEST_CACHE = 512 * 2**20
MOST_ENTRIES = 400

_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a run: a table of JSON values, and texts that may be long."""

    table: dict[str, object]
    texts: tuple[str, ...] = ()


def load(key: str) -> Entry | None:
    """Find an entry; None if there is none, or if it is not whole."""
    path = results_folder() / key
    try:
        if not _is_private(path.parent):
            return None
        content = path.read_bytes()
        entry = _unpacked(content)
        if entry is not None:
            os.utime(path)  # the one that was used last is removed last
    except (OSError, ValueError):
        return None
    return entry


def store(key: str, entry: Entry) -> None:
    """Keep an entry in the place of an older one, and remove what is too much."""
    content = _packed(entry)
    if len(content) > LARGEST_ENTRY:
        return
    folder = results_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder):
            _write(folder, key, content)
            _remove_oldest(folder)


def results_folder() -> Path:
    """Name the folder of the entries; it need not exist."""
    return cache_base() / "results"


def _is_private(folder: Path) -> bool:
    """Tell whether only this user can have written what lies in a folder."""
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o077


def _write(folder: Path, key: str, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(folder / key)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_oldest(folder: Path) -> None:
    with os.scandir(folder) as found:
        entries = sorted(((entry.stat(), entry.path) for entry in found), key=lambda each: -each[0].st_mtime_ns)
    total = 0
    for count, (status, path) in enumerate(entries, 1):
        total += status.st_size
        if count > MOST_ENTRIES or total > LARGEST_CACHE:
            Path(path).unlink(missing_ok=True)


def _packed(entry: Entry) -> bytes:
    texts = [text.encode("utf-8", "surrogatepass") for text in entry.texts]
    head = json.dumps({"table": entry.table, "lengths": [len(text) for text in texts]}).encode()
    body = b"".join([head, b"\n", *texts])
    return hashlib.sha256(body).hexdigest().encode() + body


def _unpacked(content: bytes) -> Entry | None:
    digest, body = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    head, _, rest = body.partition(b"\n")
    match json.loads(head):
        case {"table": {**table}, "lengths": [*lengths]}:
            return Entry({str(name): value for name, value in table.items()}, tuple(_texts(rest, lengths)))
    return None


def _texts(rest: bytes, lengths: list[int]) -> list[str]:
    texts = []
    position = 0
    for length in lengths:
        texts.append(rest[position : position + length].decode("utf-8", "surrogatepass"))
        position += length
    return texts
