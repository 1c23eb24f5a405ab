"""The ids of all nodes, for the message about a reference to none of them.

Inside a module a node is called by its short name, and the nodes beside it come first. Nothing that is asked for each
wrong reference walks through all nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from doraflow.parser.suggest import Choices, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NOBODY = Choices(())


@dataclass(frozen=True, slots=True)
class NodeNames:
    """All ids, in the order of the file. A scope is what a module puts before the ids of its nodes (`outer.`)."""

    ids: Choices
    _inside: dict[str, Choices] = field(default_factory=dict, init=False, repr=False, compare=False)

    def near(self, wanted: str, scope: str = "") -> list[str]:
        """List what a reference within a scope may have meant, nearest first, as it is written there."""
        inside = self._beside(scope)
        outside = self.ids.ranked(wanted)
        ranked = inside.ranked(wanted)
        first = len(inside.names)
        ranked += [(distance, first + at, name) for distance, at, name in outside if _is_outside(name, scope)]
        return [name for _, _, name in sorted(ranked)]

    def text(self, near: Sequence[str], scope: str = "") -> str:
        """List the names for a message, `near` first."""
        outside = (name for name in self.ids.names if _is_outside(name, scope))
        return (
            listed(near, chain(self._beside(scope).names, outside), len(self.ids.names)) if self.ids.names else "none"
        )

    def _beside(self, scope: str) -> Choices:
        if not scope:
            return _NOBODY
        if not self._inside:
            groups: dict[str, list[str]] = {}
            for name in self.ids.names:
                for around in _scopes(name):
                    groups.setdefault(around, []).append(name.removeprefix(around))
            self._inside.update((around, Choices(tuple(names))) for around, names in groups.items())
        return self._inside.get(scope, _NOBODY)


def _is_outside(name: str, scope: str) -> bool:
    return not scope or not name.startswith(scope)


def _scopes(name: str) -> Iterator[str]:
    position = name.find(".")
    while position >= 0:
        yield name[: position + 1]
        position = name.find(".", position + 1)
