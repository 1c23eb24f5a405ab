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
    from doraflow_runtime.launcher.restarts import Restarts
    from doraflow_runtime.launcher.stopping import StopLadder


@dataclass(slots=True)
class Member:
    """One node of the run, through all the processes that it has one after another.

    `group` is the number of its process and of the process group that it leads, `started` when that began, in seconds
    since 1970, and `began` the same on the monotonic clock. `kill_at` is when what it left behind will be killed.
    `is_gone` says that nothing of the group is left. `ladder` is there while this node alone is being ended.

    `restart_at` is when the node, whose process has ended, is started again. `is_ordered` says that someone asked for
    the restart, `is_leaving` that the node is stopped for good, `is_finished` that it has told that all its inputs are
    closed, `silence` for how many seconds it had shown no sign of life when it was killed for that, `lateness` after
    how many seconds it was killed because it had not joined, `drained_at` since when nothing more can come in at it.
    """

    process: Process
    group: int
    output: NodeOutput
    restarts: Restarts
    started: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    connection: Connection | None = None
    has_arrived: bool = False
    was_signalled: bool = False
    was_killed: bool = False
    ending: Ending | None = None
    kill_at: float | None = None
    is_gone: bool = False
    ladder: StopLadder | None = None
    restart_at: float | None = None
    is_ordered: bool = False
    is_leaving: bool = False
    is_finished: bool = False
    is_paused: bool = False
    silence: float = 0.0
    lateness: float = 0.0
    drained_at: float | None = None
    last_code: int | None = None

    @property
    def node(self) -> str:
        """The node's id."""
        return self.process.node

    @property
    def is_over(self) -> bool:
        """Whether the node has ended and nothing follows."""
        return self.ending is not None and self.restart_at is None

    def next_time(self) -> float | None:
        """When something is due with what is left of the node; None if nothing is."""
        if self.is_gone:
            return self.restart_at
        ladder = None if self.ladder is None or self.ending is not None else self.ladder.deadline
        times = [at for at in (self.kill_at, ladder) if at is not None]
        return min(times) if times else None

    def begin_again(self, group: int, output: NodeOutput) -> None:
        """Take over a new process; what is known of the one before is forgotten, but for its exit."""
        self.group, self.output = group, output
        self.started, self.began = time.time(), time.monotonic()
        self.connection = self.ending = self.kill_at = self.ladder = self.restart_at = None
        self.has_arrived = self.was_signalled = self.was_killed = self.is_gone = False
        self.is_ordered = self.is_finished = self.is_paused = False
        self.silence = self.lateness = 0.0
        self.drained_at = None

    def signal_quietly(self, number: signal.Signals) -> None:
        """Send a signal that ends nothing."""
        if not self.is_gone:
            signal_group(self.group, number)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to everything of this node that is left."""
        if not self.is_gone and signal_group(self.group, number) and self.ending is None:
            self.was_signalled = True

    def tell(self, kind: str, **fields: str) -> None:
        """Send a message to the node, if it is connected."""
        if self.connection is not None:
            self.connection.tell(kind, **fields)


@dataclass(slots=True)
class Guest:
    """A dynamic node: whoever starts it by hand joins and leaves as he likes. `visits` is how often that was."""

    node: str
    connection: Connection | None = None
    visits: int = 0

    def tell(self, kind: str, **fields: str) -> None:
        """Send a message to the node, if it is there."""
        if self.connection is not None:
            self.connection.tell(kind, **fields)


@dataclass(slots=True)
class Members:
    """The nodes whose processes were started, in the order of the launch script, and the guests by their ids."""

    all: list[Member] = field(default_factory=list)
    guests: dict[str, Guest] = field(default_factory=dict)
    _by_node: dict[str, Member] = field(default_factory=dict)

    def add(self, member: Member) -> None:
        """Take in a node."""
        self.all.append(member)
        self._by_node[member.node] = member

    def by_node(self, node: str) -> Member | None:
        """Find a node by its id."""
        return self._by_node.get(node)

    def peer(self, node: str) -> Member | Guest | None:
        """Find a node by its id, whoever has started it."""
        return self._by_node.get(node) or self.guests.get(node)

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
        """Whether nothing of any node is left, or to come."""
        return all(member.is_gone and member.restart_at is None for member in self.all)
