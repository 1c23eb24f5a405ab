"""Generated Python laid out as ruff lays it out: what is too long for a line is split where ruff would split it.

Everything here takes finished pieces of code and knows nothing of what they mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 120

_NUMBER = re.compile(r"(\d+)")


def call(head: str, arguments: Sequence[str], indent: int, *, tail: str = "") -> str:
    """Write `head(arguments)tail`; its first line is to stand `indent` columns in.

    >>> call("f", ["a", "b"], 0)
    'f(a, b)'
    """
    joined = ", ".join(arguments)
    flat = f"{head}({joined}){tail}"
    if not arguments or indent + len(flat) <= WIDTH:
        return flat
    inner = " " * (indent + 4)
    together = len(inner) + len(joined) <= WIDTH
    body = f"{inner}{joined}\n" if together else "".join(f"{inner}{argument},\n" for argument in arguments)
    return f"{head}(\n{body}{' ' * indent}){tail}"


def union(head: str, members: Sequence[str]) -> str:
    """Write `head` and the members of a union type, at the left margin.

    >>> union("Event: TypeAlias = ", ["Tick", "Stop"])
    'Event: TypeAlias = Tick | Stop'
    """
    flat = " | ".join(members)
    if len(head) + len(flat) <= WIDTH:
        return head + flat
    body = flat if len(flat) + 4 <= WIDTH else "\n    | ".join(members)
    return f"{head}(\n    {body}\n)"


def import_from(module: str, names: Iterable[str]) -> str:
    """Write an import, its names in the order of ruff's import rules.

    >>> import_from("m", ["b", "A"])
    'from m import A, b'
    """
    ordered = in_import_order(names)
    flat = f"from {module} import {', '.join(ordered)}"
    if len(flat) <= WIDTH:
        return flat
    body = "".join(f"    {name},\n" for name in ordered)
    return f"from {module} import (\n{body})"


def in_import_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort names as ruff sorts those of an import: constants, classes, then the rest; numbers by their value.

    >>> in_import_order(["only", "Image10", "Image2", "ABc", "Abb", "URL"])
    ('URL', 'Abb', 'ABc', 'Image2', 'Image10', 'only')
    """
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (_rank(name), _natural(name.lower()), _natural(name))))


def in_export_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort names as ruff sorts `__all__`: as in an import, but capital letters come before small ones.

    >>> in_export_order(["ABc", "Abb"])
    ('ABc', 'Abb')
    """
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (_rank(name), _natural(name))))


def _rank(name: str) -> int:
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[:1].isupper() else 2


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    parts = (part for part in _NUMBER.split(name) if part)
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts)
