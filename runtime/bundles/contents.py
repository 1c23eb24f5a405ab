"""The files of a bundle compared with the digests in its manifest.

What is found is given as text; who tells it, and what follows, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


MANIFEST = "MANIFEST.json"
SIGNATURE = "MANIFEST.json.minisig"
COPY_AGAIN = "build the bundle again, or copy it again from where it was built"

_IMPORTABLE = frozenset({".py", ".pyc", ".so"})


class ManifestError(Exception):
    """There is no manifest that could be read; the message says why."""


def read_digests(content: bytes) -> dict[str, str]:
    """Read from a manifest the SHA-256 of each file, by relative name. Raises ManifestError."""
    try:
        files = json.loads(content)["files"]
        return {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError("it is not the manifest of a bundle") from error


def read_plan(bundle: Path) -> str:
    """Read the digest of what all hosts of a dataflow have to agree on; empty where the manifest has none."""
    try:
        return str(json.loads((bundle / MANIFEST).read_bytes()).get("plan", ""))
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""  # a bundle made by hand; what is wrong with another is told where it is verified


def differing(bundle: Path, digests: Mapping[str, str], mend: str = COPY_AGAIN) -> Iterator[tuple[str, str]]:
    """Name the files that are changed, missing or unreadable: a message and the mend for each."""
    for name, expected in digests.items():
        try:
            found = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        except FileNotFoundError:
            yield f"`{name}` of the bundle is missing", mend
        except OSError as error:
            reason = error.strerror or str(error)
            yield f"`{name}` of the bundle cannot be read: {reason[:1].lower()}{reason[1:]}", mend
        else:
            if found != expected:
                yield f"`{name}` was changed after the bundle was built", mend


def importable_strangers(bundle: Path, digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name what nodes could import by mistake; other files may lie in a bundle (a node's own output, for instance)."""
    folders = dict.fromkeys(name.partition("/")[0] for name in digests if "/" in name)
    candidates = [*bundle.glob("*"), *(path for folder in folders for path in sorted((bundle / folder).rglob("*")))]
    for path in candidates:
        name = path.relative_to(bundle).as_posix()
        if path.suffix in _IMPORTABLE and name not in digests and "__pycache__" not in path.parts and path.is_file():
            yield f"`{name}` does not belong to the bundle, and nodes could import it by mistake", f"remove `{name}`"


def strangers(bundle: Path, digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name everything that no manifest lists, and every symbolic link, since what it leads to may change."""
    for folder, folders, files in os.walk(bundle):
        folders.sort()
        for name in sorted([*files, *folders]):
            path = Path(folder, name)
            shown = path.relative_to(bundle).as_posix()
            if path.is_symlink():
                yield f"`{shown}` of the signed bundle is a symbolic link", "copy the bundle with its files in place"
            elif not path.is_dir() and shown not in digests and shown not in (MANIFEST, SIGNATURE):
                yield f"`{shown}` lies in the signed bundle, and the signature does not cover it", f"remove `{shown}`"
