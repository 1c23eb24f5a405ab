"""Lock files on disk: written whole or not at all, and only when their bytes differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.build.fresh import replace_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_lock(path: Path, text: str) -> bool:
    """Bring a lock file to hold a text; tells whether that changed it. Raises OSError."""
    try:
        if path.read_bytes() == text.encode():
            return False
    except FileNotFoundError:
        pass
    replace_text(path, text)
    return True


def tell_unwritable(path: Path, error: OSError, tell: Callable[..., None], *, mend: str) -> None:
    """Report that a lock file cannot be written; `tell` is the sink's `warning` or `error`."""
    reason = (error.strerror or str(error)).lower()
    tell("DF895", f"`{path.as_posix()}` cannot be written: {reason}", help=mend)
