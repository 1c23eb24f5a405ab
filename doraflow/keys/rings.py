"""Rings of keys by name: where they lie, and which one a command means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from doraflow_runtime.keys.folder import FOLDER_VARIABLE, KeyRingError, ring_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def choose_ring(name: str, given: Path | None, environment: Mapping[str, str]) -> Path:
    """Find the folder of the ring that a command means; an empty name means the only one there is.

    Raises KeyRingError if there is none, or several to choose from.
    """
    if name or given is not None or environment.get(FOLDER_VARIABLE):
        return ring_folder(name, environment, given)
    base = ring_folder("", environment)
    names = known_rings(base)
    if not names:
        raise KeyRingError(f"there are no keys in `{base}`", "make some with `doraflow keys make FILE`")
    if len(names) > 1:
        listed = ", ".join(f"`{each}`" for each in names)
        raise KeyRingError(
            f"there are several rings of keys: {listed}", f"name one of them, such as `--ring {names[0]}`"
        )
    return base / names[0]


def known_rings(base: Path) -> list[str]:
    """List the rings below a folder by name, sorted."""
    try:
        with os.scandir(base) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
