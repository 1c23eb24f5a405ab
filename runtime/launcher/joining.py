"""How nodes join the run: hello, the start for all at once, and the news of producers that have ended.

It follows the control protocol from the launcher's side. Processes are not its affair: it is told when one has ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow_runtime.codec import check_version
from doraflow_runtime.contract import ContractError
from doraflow_runtime.launcher.control import Hello
from doraflow_runtime.launcher.measuring import Counted
from doraflow_runtime.launcher.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.launcher.barrier import Barrier
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.control import Connection, Message, ProtocolError
    from doraflow_runtime.launcher.measuring import Measurements
    from doraflow_runtime.launcher.members import Member, Members


class Joining:
    """Receives what nodes say. `is_started` once all were told to start, `is_stopping` once all were told to stop."""

    __slots__ = (
        "_barrier",
        "_began",
        "_console",
        "_consumers",
        "_measurements",
        "_members",
        "_stop_all",
        "is_started",
        "is_stopping",
    )

    def __init__(
        self,
        wiring: HostWiring,
        members: Members,
        measurements: Measurements,
        barrier: Barrier,
        console: Console,
        stop_all: Callable[[str], None],
    ) -> None:
        self.is_started = False
        self.is_stopping = False
        self._members = members
        self._measurements = measurements
        self._barrier = barrier
        self._console = console
        self._stop_all = stop_all
        self._began = time.monotonic()
        self._consumers: dict[str, dict[str, None]] = {}
        for link in wiring.links:
            self._consumers.setdefault(link.producer, {})[link.consumer] = None

    def on_message(self, connection: Connection, message: Message) -> None:
        """Act on what a node said."""
        if isinstance(message, Hello):
            self._greet(connection, message)
        elif connection.node is not None and isinstance(message, Counted):
            if (member := self._members.by_node(connection.node)) is not None:
                self._measurements.take(member.node, member.group, message, usage_of(member.group).cpu_ms)
        elif connection.node is not None:
            self._stop_all(f"`{connection.node}` asked for it")

    def on_fault(self, connection: Connection, error: ProtocolError) -> None:
        """Tell that a node talks nonsense."""
        self._refuse(connection, f"the launcher hung up on `{connection.node or 'a stranger'}`: {error}")
        self.on_closed(connection)

    def on_closed(self, connection: Connection) -> None:
        """Forget a connection; whether its process goes on is another matter."""
        member = self._members.by_node(connection.node or "")
        if member is not None and member.connection is connection:
            member.connection = None

    def ended(self, member: Member) -> None:
        """Note that the process of a node has ended, and tell those who read from it."""
        self._barrier.arrived(member.node, time.monotonic())
        if self.is_started:
            for consumer in self._consumers.get(member.node, ()):
                if (reader := self._members.by_node(consumer)) is not None:
                    reader.tell("ended", node=member.node)
        self.start_if_ready()

    def start_if_ready(self) -> None:
        """Start the dataflow if everyone has come and nobody wants it stopped."""
        if self.is_started or self.is_stopping or not self._barrier.is_open:
            return
        self.is_started = True
        for member in self._members.all:
            self._tell_start(member)
        self._console.progress("started", "", seconds=round(time.monotonic() - self._began, 3))

    def stop(self) -> None:
        """Tell every node to stop, and those who come later too."""
        self.is_stopping = True
        for member in self._members.all:
            member.tell("stop")

    def _greet(self, connection: Connection, hello: Hello) -> None:
        member = self._members.by_node(hello.node)
        if member is None or member.connection is not None or connection.node is not None:
            self._refuse(connection, f"a process introduced itself as `{hello.node}`, which is not awaited")
            return
        try:
            check_version(hello.contract, f"the node API of `{hello.node}`")
        except ContractError as error:
            self._refuse(connection, str(error))
            return
        connection.node = hello.node
        member.connection = connection
        member.has_arrived = True
        self._barrier.arrived(hello.node, time.monotonic())
        if self.is_stopping:
            member.tell("stop")
        elif self.is_started:
            self._tell_start(member)
        self.start_if_ready()

    def _tell_start(self, member: Member) -> None:
        """Tell a node to start, and first which of its producers will never send."""
        for producer in self._members.all:
            if producer.ending is not None and member.node in self._consumers.get(producer.node, ()):
                member.tell("ended", node=producer.node)
        member.tell("start")

    def _refuse(self, connection: Connection, message: str) -> None:
        connection.close()
        self._console.progress("refused", message)
