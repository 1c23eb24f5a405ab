"""What follows from the tables of other hosts: nodes there that have ended for good, fail, or are started again.

Pure: tables go in, changes come out. A table says all that is so, however much of what came before was lost; so what is
new is found here, and is told once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from doraflow_runtime.fleet.messages import MOST_NODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doraflow_runtime.fleet.messages import NodeRow

What: TypeAlias = Literal["ended", "restarting", "began_again"]
"""`ended`: for good. `restarting`: its process has ended, and another follows or is there. `began_again`: a process of
a node that had ended for good is there, since its host was launched anew."""


@dataclass(frozen=True, slots=True)
class FarChange:
    """What has become of a node on another host; `error` says how it failed, if it did."""

    host: str
    node: str
    what: What
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """`restarts` is None for a node of a launcher that was heard, but has not told of its nodes yet."""

    session: str
    restarts: int | None
    has_ended: bool = False


class FarNodes:
    """The nodes of other hosts as they were told of last; `homes` gives the host of each that is linked with ours.

    Of nodes that are not, each host may name as many as a table holds, in all the time that it is there.
    """

    __slots__ = ("_homes", "_known", "_others", "_revisions")

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = dict(homes)
        self._known: dict[tuple[str, str], _Known] = {}
        self._others: Counter[str] = Counter()
        self._revisions: dict[str, tuple[str, int]] = {}

    def seen(self, host: str, session: str) -> int:
        """Say which table of a life of a launcher was taken last; 0 for none."""
        of, revision = self._revisions.get(host, ("", 0))
        return revision if of == session else 0

    def has_ended(self, node: str) -> bool:
        """Tell whether a node of another host has ended for good."""
        known = self._known.get((self._homes.get(node, ""), node))
        return known is not None and known.has_ended

    def greet(self, host: str, session: str) -> None:
        """Take note that a launcher is there: should another follow it, its nodes are started again."""
        for node, home in self._homes.items():
            if home == host:
                self._known.setdefault((host, node), _Known(session, None))

    def take(self, host: str, session: str, revision: int, rows: Iterable[NodeRow]) -> Iterator[FarChange]:
        """Take a table of a host, and find what is new in it; nodes that belong elsewhere are not heeded."""
        if revision <= self.seen(host, session):
            return
        self._revisions[host] = (session, revision)
        for row in rows:
            if self._homes.get(row.node, host) == host and self._has_place(host, row.node):
                yield from self._compare(host, session, row)

    def end_all(self, host: str) -> Iterator[FarChange]:
        """Take note that a launcher has ended in order, and so has each of its nodes."""
        for node, home in self._homes.items():
            if home != host:
                continue
            known = self._known.get((host, node), _Known("", None))
            if not known.has_ended:
                self._known[host, node] = replace(known, has_ended=True)
                yield FarChange(host, node, "ended")

    def _has_place(self, host: str, node: str) -> bool:
        """Tell whether a node may be taken note of; a host that names ever new ones is not heeded any more."""
        if node in self._homes or (host, node) in self._known:
            return True
        if self._others[host] >= MOST_NODES:
            return False
        self._others[host] += 1
        return True

    def _compare(self, host: str, session: str, row: NodeRow) -> Iterator[FarChange]:
        before = self._known.get((host, row.node))
        restarts = row.life + (row.phase == "restarting")
        is_over = row.phase == "ended" or (row.phase == "absent" and before is not None and before.has_ended)
        self._known[host, row.node] = _Known(session, restarts, is_over)
        if row.phase == "absent":
            return
        if row.phase == "ended":
            if before is None or not before.has_ended:
                yield FarChange(host, row.node, "ended", row.error)
            return
        if before is None:
            return
        if before.has_ended:
            yield FarChange(host, row.node, "began_again")
        elif before.session != session or (before.restarts is not None and restarts > before.restarts):
            yield FarChange(host, row.node, "restarting")
