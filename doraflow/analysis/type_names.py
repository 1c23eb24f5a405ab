"""Type names: `base[key=value,…]` of a port, and `List<item>` of a struct's member, taken apart.

What a name stands for is the library's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BASE = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_LIST = re.compile(r"List<(?P<item>.+)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type's URN and its parameters, in the order in which they are written."""

    base: str
    parameters: tuple[tuple[str, str], ...] = ()

    def agrees_with(self, other: TypeName) -> bool:
        """Tell whether both name one type: a parameter that only one side gives fits any value."""
        mine, theirs = dict(self.parameters), dict(other.parameters)
        return self.base == other.base and all(mine[key] == theirs[key] for key in mine if key in theirs)


def parse_type_name(text: str) -> TypeName | None:
    """Take a type name apart; None if it is malformed.

    >>> parse_type_name("std/media/v1/AudioFrame[sample_type=f32]")
    TypeName(base='std/media/v1/AudioFrame', parameters=(('sample_type', 'f32'),))
    >>> parse_type_name("std/media/v1/AudioFrame[]") is None
    True
    """
    base, bracket, rest = text.partition("[")
    if not _BASE.fullmatch(base):
        return None
    if not bracket:
        return TypeName(base)
    parameters = _parameters(rest.removesuffix("]")) if rest.endswith("]") else None
    return TypeName(base, parameters) if parameters is not None else None


def _parameters(text: str) -> tuple[tuple[str, str], ...] | None:
    pairs: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value) or key in pairs:
            return None
        pairs[key] = value
    return tuple(pairs.items())


def unwrap_lists(text: str) -> tuple[int, str]:
    """Split a member's type into how many lists are around an item, and the item's name.

    >>> unwrap_lists("List<List<Float32>>")
    (2, 'Float32')
    """
    depth, item = 0, text.strip()
    while match := _LIST.fullmatch(item):
        depth, item = depth + 1, match["item"].strip()
    return depth, item
