"""Files of a target for the tests, made from the text of a dataflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.unit.targeting.plans import plan_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def files_of(target: ModuleType, text: str, folder: Path) -> dict[str, str]:
    """Make a target's files of a dataflow; their texts by path."""
    return {file.path: file.content.decode() for file in target.files(plan_of(text, folder))}


def documents(text: str) -> list[Any]:
    """Read all documents of a YAML file."""
    return list(yaml.safe_load_all(text))
