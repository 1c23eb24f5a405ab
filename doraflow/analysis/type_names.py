"""Type names: `base[key=value,…]`, taken apart and put together.

What a name stands for is the library's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<base>[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)(?:\[(?P<parameters>[^\[\]]*)\])?")


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type's URN and its parameters, in the order in which they are written."""

    base: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def short(self) -> str:
        """The last part of the URN: `Image` of `std/media/v1/Image`."""
        return self.base.rpartition("/")[2]

    def agrees_with(self, other: TypeName) -> bool:
        """Tell whether both name one type: a parameter that only one side gives fits any value."""
        mine, theirs = dict(self.parameters), dict(other.parameters)
        return self.base == other.base and all(mine[key] == theirs[key] for key in mine if key in theirs)


def parse_type_name(text: str) -> TypeName | None:
    """Take a type name apart; None if it is malformed.

    >>> parse_type_name("std/media/v1/AudioFrame[sample_type=f32]")
    TypeName(base='std/media/v1/AudioFrame', parameters=(('sample_type', 'f32'),))
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        return None
    pairs = []
    for part in filter(None, (match["parameters"] or "").split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            return None
        pairs.append((key, value))
    return TypeName(match["base"], tuple(pairs))
