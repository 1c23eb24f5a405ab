"""A node process as the supervisor sees it, from its start to the end of everything it has started.

Only the supervisor changes a member; `Members` finds one by what is known of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.groups import exists, signal_group

if TYPE_CHECKING:
    import signal

    from doraflow_runtime.contract import Process
    from doraflow_runtime.launcher.control import Connection
    from doraflow_runtime.launcher.endings import Ending
    from doraflow_runtime.launcher.output import NodeOutput


@dataclass(slots=True)
class Member:
    """One node of the run.

    `group` is the number of its process and of the process group that it leads, `started` when that began, in seconds
    since 1970. `kill_at` is when what it left behind will be killed. `is_gone` says that nothing of the group is left.
    """

    process: Process
    group: int
    output: NodeOutput
    started: float = field(default_factory=time.time)
    connection: Connection | None = None
    has_arrived: bool = False
    was_signalled: bool = False
    ending: Ending | None = None
    kill_at: float | None = None
    is_gone: bool = False

    @property
    def node(self) -> str:
        """The node's id."""
        return self.process.node

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to everything of this node that is left."""
        if not self.is_gone and signal_group(self.group, number) and self.ending is None:
            self.was_signalled = True

    def tell(self, kind: str, **fields: str) -> None:
        """Send a message to the node, if it is connected."""
        if self.connection is not None:
            self.connection.tell(kind, **fields)


@dataclass(slots=True)
class Members:
    """The nodes whose processes were started, in the order of the launch script."""

    all: list[Member] = field(default_factory=list)

    def by_node(self, node: str) -> Member | None:
        """Find a node by its id."""
        return next((member for member in self.all if member.node == node), None)

    def by_process(self, number: int) -> Member | None:
        """Find a node by the number of its process, as long as that has not been reaped."""
        return next((member for member in self.all if member.group == number and member.ending is None), None)

    def newly_gone(self) -> list[Member]:
        """Find the groups of which nothing is left since the last call."""
        gone = [member for member in self.all if member.ending and not member.is_gone and not exists(member.group)]
        for member in gone:
            member.is_gone = True
        return gone

    @property
    def are_gone(self) -> bool:
        """Whether nothing of any node is left."""
        return all(member.is_gone for member in self.all)
