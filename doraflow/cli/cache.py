"""Where doraflow keeps what it can make again: a folder for each dataflow, for this user only."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_base() -> Path:
    """Name the folder of everything that is kept; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doraflow"


def cache_folder(source: Path) -> Path:
    """Name the cache folder of a dataflow, by its absolute path; it need not exist."""
    digest = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    return cache_base() / f"{source.resolve().parent.name}-{digest}"
