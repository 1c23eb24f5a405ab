"""The tables of nodes that the other hosts are told: the last one for each, with a new number whenever it differs.

Pure; what stands in them is settled elsewhere, and so is when they are said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.fleet.messages import Table

if TYPE_CHECKING:
    from doraflow_runtime.fleet.membership import Host
    from doraflow_runtime.fleet.messages import NodeRow


class Tables:
    """What each host was told last.

    >>> tables = Tables()
    >>> tables.renew("gpu", ()), tables.renew("gpu", ()), tables.revision("gpu")
    (Table(revision=1, nodes=()), None, 1)
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, Table] = {}

    def revision(self, host: str) -> int:
        """Say which table a host was told last; 0 for none."""
        table = self._last.get(host)
        return 0 if table is None else table.revision

    def renew(self, host: str, rows: tuple[NodeRow, ...]) -> Table | None:
        """Give the table that a host has to be told now; None if it was told these rows last."""
        known = self._last.get(host)
        if known is not None and known.nodes == rows:
            return None
        self._last[host] = Table(self.revision(host) + 1, rows)
        return self._last[host]

    def unread(self, host: Host) -> Table | None:
        """Give the last table of a host that is there and has not taken it in: a cut may have swallowed it."""
        return None if host.presence != "present" or self.is_read_by(host) else self._last.get(host.name)

    def is_read_by(self, host: Host) -> bool:
        """Tell whether a host has said that it has the last table."""
        return host.beat is not None and host.hears_us and host.beat.seen >= self.revision(host.name)
