"""An old construct that was found in a file: where, what replaces it, and the edits that do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow.diagnostics import Span
    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.syntax import MappingNode


@dataclass(frozen=True, slots=True)
class Found:
    """An old construct at one place. `message` is the same wherever the construct stands in a file."""

    message: str
    help: str
    span: Span
    edits: tuple[Edit, ...]
    foreign: bool = False


if TYPE_CHECKING:
    Rule = Callable[[MappingNode], Iterator[Found]]
