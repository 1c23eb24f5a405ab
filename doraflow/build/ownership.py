"""What of an output folder is ours: the files that the manifest of a bundle lists, and nothing else.

Nothing here writes. A manifest may be damaged or forged, so a path that leads out of the folder is never ours.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from doraflow.codegen.manifest import MANIFEST

STAGING = ".doraflow-staging"


def owned_files(out: Path) -> set[str] | None:
    """List the files that the folder's manifest owns; None if the folder holds something and is no bundle.

    Raises OSError if the folder cannot be read.
    """
    if not out.exists():
        return set()
    if not out.is_dir():
        return None
    try:
        table = json.loads((out / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None if any(entry.name != STAGING for entry in out.iterdir()) else set()
    except (ValueError, RecursionError):
        return None
    match table:
        case {"doraflow": str(), "contract": int(), "files": {**files}}:
            root = out.resolve()
            return {MANIFEST, *(path for path in map(str, files) if _is_inside(root, path))}
    return None


def _is_inside(root: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or "\0" in path or PurePosixPath(path).is_absolute():
        return False
    return (root / path).parent.resolve().is_relative_to(root)
