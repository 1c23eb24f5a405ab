"""Type definitions to Arrow types: members looked up, structs nested, and what cannot be resolved told apart.

A definition names other types by URN, by a unique suffix of one, or by an Arrow scalar's name, alone or in `List<…>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.contract import SCALARS, Field, ListOf, Scalar, Struct

from doraflow.analysis.type_names import unwrap_lists
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from doraflow_runtime.contract import DataType

DEEPEST = 16
"""How deep structs and lists may nest in one another; dora stops at 8 without a word."""
LONGEST_PATH = 100
"""How many types the walk follows into one another, so that no file can exhaust the stack."""
MOST_MEMBERS = 4096
"""How many members a type may have in all, those of its inner structs included."""

Members: TypeAlias = Mapping[str, str]
Definitions: TypeAlias = "Mapping[str, str | Members]"
"""Types by URN: an Arrow scalar's name, or the members of a struct by name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the type of one member of a struct."""

    code: str
    urn: str
    member: str
    message: str
    help: str


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    members: int = 0


@dataclass(slots=True)
class _Resolution:
    """The walk through the definitions: each type is resolved once, after those it holds."""

    definitions: Definitions
    suffixes: Mapping[str, tuple[str, ...]]
    types: dict[str, DataType | None] = field(default_factory=dict)
    sizes: dict[str, _Size] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    path: list[str] = field(default_factory=list)

    def resolve(self, urn: str) -> DataType | None:
        """Resolve a type that is defined."""
        if urn not in self.types:
            definition = self.definitions[urn]
            if isinstance(definition, str):
                self.types[urn], self.sizes[urn] = Scalar(definition), _Size()
            else:
                self.path.append(urn)
                self.types[urn] = self._struct(urn, definition)
                self.path.pop()
        return self.types[urn]

    def _struct(self, urn: str, members: Members) -> DataType | None:
        fields: list[Field] = []
        size = _Size(1, len(members))
        for name, text in members.items():
            lists, item = unwrap_lists(text)
            found, inner = self._item(urn, name, item)
            size = _Size(max(size.depth, lists + inner.depth + 1), size.members + inner.members)
            if self._is_too_large(urn, name, size):
                return None
            if found is not None:
                for _ in range(lists):
                    found = ListOf(found)
                fields.append(Field(name, found))
        self.sizes[urn] = size
        return Struct(urn, tuple(fields)) if fields and len(fields) == len(members) else None

    def _item(self, urn: str, member: str, item: str) -> tuple[DataType | None, _Size]:
        """Resolve what a member names; None if it cannot be, for a reason that is told here or at the named type."""
        if item in SCALARS:
            return Scalar(item), _Size()
        named = (item,) if item in self.definitions else self.suffixes.get(item, ())
        if len(named) != 1:
            self._tell_unknown(urn, member, item, named)
        elif named[0] in self.path:
            chain = " -> ".join([*self.path[self.path.index(named[0]) :], named[0]])
            message = f"`{named[0]}` contains itself: {chain}"
            self._tell("DF305", urn, member, message, "remove this member, or give it another type")
        elif len(self.path) <= LONGEST_PATH:
            return self.resolve(named[0]), self.sizes.get(named[0], _Size())
        return None, _Size()

    def _is_too_large(self, urn: str, member: str, size: _Size) -> bool:
        if size.depth > DEEPEST or len(self.path) > LONGEST_PATH:
            self._tell("DF305", urn, member, f"`{urn}` nests more than {DEEPEST} deep", "take a level out")
        elif size.members > MOST_MEMBERS:
            self._tell("DF305", urn, member, f"`{urn}` has more than {MOST_MEMBERS} members in all", "take some out")
        else:
            return False
        return True

    def _tell_unknown(self, urn: str, member: str, item: str, named: tuple[str, ...]) -> None:
        if named:
            listed = choices_text(item, named)
            self._tell(
                "DF301", urn, member, f"`{item}` is short for several types: {listed}", f"write `{named[0]}` in full"
            )
            return
        near = nearest(item, (*sorted(SCALARS), *self.suffixes, *self.definitions))
        self._tell(
            "DF301",
            urn,
            member,
            f"there is no type `{item}`",
            f"to use the closest type, write `{near[0]}`"
            if near
            else "write an Arrow type such as `Float64`, a type of the library, or `List<…>` of one",
        )

    def _tell(self, code: str, urn: str, member: str, message: str, help_text: str) -> None:
        self.faults.append(Fault(code, urn, member, message, help_text))


def resolve_types(
    definitions: Definitions, suffixes: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, DataType | None], tuple[Fault, ...]]:
    """Resolve all definitions, in their order; a type that cannot be resolved, or has no members, becomes None.

    `suffixes` leads from each short name to the URNs that it may stand for.
    """
    walk = _Resolution(definitions, suffixes)
    for urn in definitions:
        walk.resolve(urn)
    return {urn: walk.types[urn] for urn in definitions}, tuple(walk.faults)
