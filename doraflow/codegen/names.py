"""Names in generated Python: ids of the dataflow turned into identifiers, no two alike in one scope.

The mapping depends only on the ids and their order.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_BREAK = re.compile(r"[^A-Za-z0-9]+")


def class_name(text: str) -> str:
    """Turn an id into a class name.

    >>> class_name("front-camera"), class_name("op/image"), class_name("3d_view")
    ('FrontCamera', 'OpImage', 'N3dView')
    """
    word = "".join(part[:1].upper() + part[1:] for part in _BREAK.split(text) if part)
    return _legal(word, "N", text)


def variable_name(text: str, reserved: Container[str] = ()) -> str:
    """Turn an id into the name of a module or attribute; a keyword or a `reserved` name gets `_` behind.

    >>> variable_name("front-camera"), variable_name("class"), variable_name("3d")
    ('front_camera', 'class_', 'n3d')
    """
    word = _legal(_BREAK.sub("_", text).strip("_"), "n", text)
    return f"{word}_" if word in reserved else word


def unique(names: Iterable[str], taken: Iterable[str] = (), mark: str = "_") -> tuple[str, ...]:
    """Tell equal names apart by a number, in order; those in `taken` are not given out. `mark` comes before the number.

    >>> unique(["a", "b", "a"], taken=["b"])
    ('a', 'b_2', 'a_2')
    """
    used = set(taken)
    numbers: dict[str, int] = {}
    given = []
    for name in names:
        candidate, number = name, numbers.get(name, 1)
        while candidate in used:
            number += 1
            candidate = f"{name}{mark}{number}"
        used.add(candidate)
        numbers[name] = number
        given.append(candidate)
    return tuple(given)


def _legal(word: str, prefix: str, text: str) -> str:
    word = word or f"{prefix}_{len(text)}"
    if word[0].isdigit():
        word = prefix + word
    return f"{word}_" if keyword.iskeyword(word) or keyword.issoftkeyword(word) else word
