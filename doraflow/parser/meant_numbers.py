"""Numbers in texts: what number a quoted one, or one with a unit, was meant to be.

Only help is made of it; a text is never read as a number.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([A-Za-z]*)\s*")
_SECONDS: Mapping[str, float] = MappingProxyType(
    {
        "ms": 0.001,
        "msec": 0.001,
        "millis": 0.001,
        "s": 1,
        "sec": 1,
        "secs": 1,
        "seconds": 1,
        "min": 60,
        "m": 60,
        "h": 3600,
    }
)


def unquoted(value: object, otherwise: str) -> str:
    """Say how to write a number that is a text for its quotes alone; `otherwise` is said of anything else.

    >>> unquoted("5", "write a number"), unquoted("many", "write a number")
    ('write `5`, without quotes', 'write a number')
    """
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return f"write `{match[1]}`, without quotes" if match and not match[2] else otherwise


def in_seconds(text: str) -> str:
    """Say how to write a number of seconds in the place of a text, which may have a unit.

    >>> in_seconds("500ms")
    'write `0.5`: the number counts seconds'
    """
    match = _NUMBER.fullmatch(text)
    factor = _SECONDS.get(match[2].lower()) if match else None
    if match is not None and factor is not None:
        return f"write `{float(match[1]) * factor:.12g}`: the number counts seconds"
    return unquoted(text, "write a number of seconds, such as `0.5`")
