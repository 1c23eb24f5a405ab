"""The type library: the standard types and the user's own, each resolved to an Arrow type.

A library is built once for a compilation. Nothing here reads a file: the parser hands the user's type files over, and
`doraflow.analysis.user_types` turns what is wrong with them into findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from doraflow.analysis.standard_types import PARAMETERS, SCALAR_TYPES, STRUCT_TYPES
from doraflow.analysis.type_resolution import resolve_types
from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.contract import DataType

    from doraflow.analysis.type_resolution import Definitions, Fault

MOST_GUESSES = 200

Parameters: TypeAlias = "Mapping[str, tuple[str, ...]]"
Suffixes: TypeAlias = "Mapping[str, tuple[str, ...]]"


@dataclass(frozen=True, slots=True)
class TypeLibrary:
    """All types by URN, the standard ones first; a type that cannot be resolved has no Arrow type.

    `by_suffix` leads from each suffix of a URN, at its slashes, to the URNs that end in it. `faults` say what keeps
    types from being resolved. `parameters` lists what a type's name may have in brackets, where it may have anything.
    """

    types: Mapping[str, DataType | None]
    by_suffix: Suffixes
    faults: tuple[Fault, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    _near: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def data_type(self, urn: str) -> DataType | None:
        """Give the Arrow type of a URN without parameters; None if there is none.

        >>> standard_library().data_type("std/core/v1/Bool")
        Scalar(name='Boolean')
        """
        return self.types.get(urn)

    def ending_in(self, name: str) -> tuple[str, ...]:
        """List the URNs that a short name may stand for: itself, or all that end in it.

        >>> standard_library().ending_in("Image")
        ('std/media/v1/Image',)
        """
        return (name,) if name in self.types else self.by_suffix.get(name, ())

    def near(self, base: str) -> list[str]:
        """Suggest URNs for an unknown one: those it is short for, then by the whole name, then by its last part.

        After many different unknown names only the first kind is looked for: who misspells them all needs no guesses.
        """
        if base not in self._near:
            if len(self._near) >= MOST_GUESSES:
                return list(self.ending_in(base))
            self._near[base] = self._guesses(base)
        return self._near[base]

    def _guesses(self, base: str) -> list[str]:
        names = tuple(dict.fromkeys(urn.rpartition("/")[2] for urn in self.types))
        found = [*self.ending_in(base), *nearest(base, tuple(self.types))]
        found += [urn for name in nearest(base.rpartition("/")[2], names) for urn in self.ending_in(name)]
        return list(dict.fromkeys(found))


def standard_library() -> TypeLibrary:
    """Make the library of the standard types alone."""
    return library({})


def library(own: Definitions, parameters: Parameters | None = None) -> TypeLibrary:
    """Make the library of the standard types and the given ones; `parameters` are those of the given ones."""
    definitions: Definitions = {**SCALAR_TYPES, **STRUCT_TYPES, **own}
    endings: dict[str, list[str]] = {}
    for urn in definitions:
        parts = urn.split("/")
        for start in range(1, len(parts)):
            endings.setdefault("/".join(parts[start:]), []).append(urn)
    suffixes = {suffix: tuple(urns) for suffix, urns in endings.items()}
    types, faults = resolve_types(definitions, suffixes)
    return TypeLibrary(types, suffixes, faults, {**PARAMETERS, **(parameters or {})})
