"""The type library: the standard types and the user's own, each resolved to an Arrow type.

A library is built once for a compilation. Nothing here reads a file: the parser hands the user's type files over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.contract import SCALARS, Field, ListOf, Scalar, Struct

from doraflow.analysis.standard_types import SCALAR_TYPES, STRUCT_TYPES
from doraflow.analysis.type_names import parse_type_name
from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.contract import DataType

_LIST = re.compile(r"List<(?P<item>.+)>")
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class TypeLibrary:
    """All types by URN. `scalars` maps to an Arrow scalar's name, `structs` to members by name."""

    scalars: Mapping[str, str]
    structs: Mapping[str, Mapping[str, str]]
    by_short_name: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """All URNs, standard ones first."""
        return (*self.scalars, *self.structs)

    def find(self, base: str) -> str | None:
        """Find the URN that a full or a unique short name stands for."""
        if base in self.scalars or base in self.structs:
            return base
        candidates = self.by_short_name.get(base, ())
        return candidates[0] if len(candidates) == 1 else None

    def data_type(self, urn: str) -> DataType | None:
        """Resolve a URN to its Arrow type; None if it, or a member, is unknown or contains itself."""
        return self._resolve(urn, 0)

    def near(self, text: str) -> list[str]:
        """Suggest URNs for an unknown one: by the whole name, and by its last part."""
        name = parse_type_name(text)
        base = name.base if name else text
        found = nearest(base, self.names())
        short = nearest(base.rpartition("/")[2], tuple(self.by_short_name))
        for candidate in (urn for word in short for urn in self.by_short_name[word]):
            if candidate not in found:
                found.append(candidate)
        return found

    def _resolve(self, urn: str, depth: int) -> DataType | None:
        if urn in self.scalars:
            return Scalar(self.scalars[urn])
        if urn not in self.structs or depth > DEEPEST:
            return None
        members = []
        for name, text in self.structs[urn].items():
            member = self._member(text, depth + 1)
            if member is None:
                return None
            members.append(Field(name, member))
        return Struct(urn, tuple(members))

    def _member(self, text: str, depth: int) -> DataType | None:
        if depth > DEEPEST:
            return None
        if text in SCALARS:
            return Scalar(text)
        if match := _LIST.fullmatch(text):
            item = self._member(match["item"].strip(), depth + 1)
            return ListOf(item) if item is not None else None
        name = parse_type_name(text)
        urn = self.find(name.base) if name else None
        return self._resolve(urn, depth) if urn else None


def library(scalars: Mapping[str, str], structs: Mapping[str, Mapping[str, str]]) -> TypeLibrary:
    """Make a library of the standard types and the given ones.

    >>> library({}, {}).find("Image")
    'std/media/v1/Image'
    """
    all_scalars, all_structs = {**SCALAR_TYPES, **scalars}, {**STRUCT_TYPES, **structs}
    short: dict[str, tuple[str, ...]] = {}
    for urn in (*all_scalars, *all_structs):
        word = urn.rpartition("/")[2]
        short[word] = (*short.get(word, ()), urn)
    return TypeLibrary(all_scalars, all_structs, short)
