"""How nodes join the run: hello, the start for all at once, and the news of nodes that have ended or come again.

It follows the control protocol from the launcher's side. Processes are not its affair: it is told when one has ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow_runtime.codec import check_version
from doraflow_runtime.contract import ContractError
from doraflow_runtime.launcher.control import Alive, Hello, InputsClosed, StopAll
from doraflow_runtime.launcher.measuring import Counted
from doraflow_runtime.launcher.members import Guest, Member
from doraflow_runtime.launcher.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.launcher.barrier import Barrier
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.control import Connection, Message, ProtocolError
    from doraflow_runtime.launcher.health import Health
    from doraflow_runtime.launcher.measuring import Measurements
    from doraflow_runtime.launcher.members import Members


class Joining:
    """Receives what nodes say. `is_started` once all were told to start, `is_stopping` once all were told to stop.

    `may_start` is asked once all nodes of this host have joined; `on_change` is called when a node stands differently.
    """

    __slots__ = (
        "_barrier",
        "_began",
        "_console",
        "_consumers",
        "_far_ended",
        "_far_lives",
        "_health",
        "_measurements",
        "_members",
        "_on_arrival",
        "_on_left",
        "_order",
        "_producers",
        "_stop_all",
        "is_started",
        "is_stopping",
        "may_start",
        "on_change",
    )

    def __init__(
        self,
        wiring: HostWiring,
        members: Members,
        measurements: Measurements,
        barrier: Barrier,
        health: Health,
        console: Console,
        stop_all: Callable[[str], None],
        on_arrival: Callable[[str], None],
        on_left: Callable[[Guest], None],
    ) -> None:
        """`stop_all` is told why the dataflow is to stop, `on_arrival` which node listens from now on."""
        self.is_started = False
        self.is_stopping = False
        self.may_start: Callable[[], bool] = lambda: True
        self.on_change: Callable[[], None] = lambda: None
        self._far_ended: dict[str, None] = {}
        self._far_lives: dict[str, str] = {}
        self._members = members
        self._order = {node.id: place for place, node in enumerate(wiring.nodes)}
        self._measurements = measurements
        self._barrier = barrier
        self._health = health
        self._console = console
        self._stop_all = stop_all
        self._on_arrival = on_arrival
        self._on_left = on_left
        self._began = time.monotonic()
        self._consumers: dict[str, dict[str, None]] = {}
        self._producers: dict[str, dict[str, None]] = {}
        for link in wiring.links:
            self._consumers.setdefault(link.producer, {})[link.consumer] = None
            self._producers.setdefault(link.consumer, {})[link.producer] = None

    def on_message(self, connection: Connection, message: Message) -> None:
        """Act on what a node said."""
        if isinstance(message, Hello):
            self._greet(connection, message)
        elif connection.node is not None:
            self._take(connection.node, message)

    def on_fault(self, connection: Connection, error: ProtocolError) -> None:
        """Tell that a node talks nonsense."""
        self._refuse(connection, f"the launcher hung up on `{connection.node or 'a stranger'}`: {error}")
        self.on_closed(connection)

    def on_closed(self, connection: Connection) -> None:
        """Forget a connection; whether its process goes on is another matter."""
        member = self._members.peer(connection.node or "")
        if member is not None and member.connection is connection:
            member.connection = None
            if isinstance(member, Guest):
                self.on_change()
                self._console.progress("guest_left", f"`{member.node}` has left the dataflow", node=member.node)
                self._on_left(member)

    def ended(self, member: Member, error: str = "") -> None:
        """Note that the process of a node has ended, and tell those who read from it; `error` says how it failed."""
        self._barrier.arrived(member.node, time.monotonic())
        if self.is_started:
            self.tell_readers(member.node, "ended", **({"error": error} if error else {}))
        self.on_change()
        self.start_if_ready()

    def far_ended(self, node: str, error: str = "") -> None:
        """Note that a node of another host has ended for good, and tell those who read from it, or send to it."""
        self._far_ended[node] = None
        if self.is_started:
            self.tell_readers(node, "ended", **({"error": error} if error else {}))
            self.tell_senders(node, "gone")

    def far_began_again(self, node: str) -> None:
        """Note that a node of another host which had ended is there again."""
        self._far_ended.pop(node, None)
        if self.is_started:
            self.tell_readers(node, "will_return")  # from now on its end is told by its launcher again

    def far_is_of(self, node: str, life: str) -> None:
        """Note to which run of its host a node of another host belongs; those who send to it are told."""
        self._far_lives[node] = life
        if self.is_started:
            self.tell_senders(node, "life", life=life)

    def restarting(self, member: Member) -> None:
        """Note that the process of a node has ended and another follows, and tell those who read from it."""
        if self.is_started:
            self.tell_readers(member.node, "restarting")
        else:
            self._barrier.expect(member.node)
        self.on_change()

    def tell_readers(self, node: str, kind: str, **fields: str) -> None:
        """Tell those who read from a node something of it."""
        for consumer in self._consumers.get(node, ()):
            if (reader := self._members.peer(consumer)) is not None:
                reader.tell(kind, node=node, **fields)

    def tell_senders(self, node: str, kind: str, **fields: str) -> None:
        """Tell those who send to a node something of it."""
        for producer in self._producers.get(node, ()):
            if (sender := self._members.peer(producer)) is not None:
                sender.tell(kind, node=node, **fields)

    def have_ended(self, nodes: Iterable[str]) -> bool:
        """Tell whether none of `nodes` has a process, or will have one."""
        found = [self._members.by_node(node) for node in nodes if node not in self._far_ended]
        return all(member is not None and member.is_over for member in found)

    def producers_of(self, node: str) -> tuple[str, ...]:
        """List the nodes that a node reads from."""
        return tuple(self._producers.get(node, ()))

    def consumers_of(self, node: str) -> tuple[str, ...]:
        """List the nodes that read from a node."""
        return tuple(self._consumers.get(node, ()))

    def start_if_ready(self) -> None:
        """Start the dataflow if everyone has come and nobody wants it stopped."""
        if self.is_started or self.is_stopping or not self._barrier.is_open:
            return
        self.on_change()
        if not self.may_start():
            return
        self.is_started = True
        for guest in self._members.guests.values():
            self._tell_start(guest)
        for member in self._members.all:
            self._tell_start(member)
            if member.has_arrived and not member.ending:
                self._health.watch(member.node, member.process.health_check_timeout, time.monotonic())
        self._console.progress("started", "", seconds=round(time.monotonic() - self._began, 3))

    def stop(self) -> None:
        """Tell every node to stop, and those who come later too."""
        self.is_stopping = True
        self.on_change()
        peers = {member.node: member for member in self._members.all} | self._members.guests
        # Against the order of the file, in which readers mostly stand behind what feeds them: whoever is told first
        # ends first, and its readers would hear of that before they are told to stop.
        for node in sorted(peers, key=lambda node: self._order.get(node, -1), reverse=True):
            peers[node].tell("stop")

    def _greet(self, connection: Connection, hello: Hello) -> None:
        member = self._members.peer(hello.node)
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
        if isinstance(member, Guest):
            self._welcome(member)
        else:
            member.has_arrived = True
        self._on_arrival(hello.node)
        self._barrier.arrived(hello.node, time.monotonic())
        if self.is_stopping:
            member.tell("stop")
        elif self.is_started:
            self._let_in_late(member, hello.process)
        self.start_if_ready()

    def _welcome(self, guest: Guest) -> None:
        """Note that someone has started a dynamic node; those who have read from it before hear of it."""
        guest.visits += 1
        self._console.progress("guest_joined", f"`{guest.node}` has joined the dataflow", node=guest.node)
        if guest.visits > 1 and self.is_started:
            self.tell_readers(guest.node, "restarting")

    def _let_in_late(self, member: Member | Guest, process: int) -> None:
        """Start a node whose dataflow runs already, and let its producers connect to it again."""
        self._tell_start(member)
        self.on_change()
        if isinstance(member, Member):
            self._health.watch(member.node, member.process.health_check_timeout, time.monotonic())
        for producer in self._producers.get(member.node, ()):
            sender = self._members.peer(producer)
            if sender is not None and sender is not member:
                sender.tell("returned", node=member.node, pid=str(process))

    def _take(self, node: str, message: Message) -> None:
        """Act on what a node says after its hello."""
        member = self._members.by_node(node)
        if isinstance(message, Alive):
            self._health.heard(node, time.monotonic())
        elif isinstance(message, InputsClosed) and member is not None:
            member.is_finished = True
            member.drained_at = member.drained_at or time.monotonic()
        elif isinstance(message, Counted) and member is not None:
            self._measurements.take(node, member.group, message, usage_of(member.group).cpu_ms)
        elif isinstance(message, StopAll):
            self._stop_all(f"`{node}` asked for it")

    def _tell_start(self, member: Member | Guest) -> None:
        """Tell a node to start, and first which of its producers will never send, and whose life its readers share."""
        for producer in self._members.all:
            if producer.is_over and member.node in self._consumers.get(producer.node, ()):
                member.tell("ended", node=producer.node)
        for far in self._far_ended:
            if member.node in self._consumers.get(far, ()):
                member.tell("ended", node=far)
        for reader in self._consumers.get(member.node, ()):
            if (life := self._far_lives.get(reader)) is not None:
                member.tell("life", node=reader, life=life)
        member.tell("start")
        for far in self._far_ended:
            if member.node in self._producers.get(far, ()):
                member.tell("gone", node=far)

    def _refuse(self, connection: Connection, message: str) -> None:
        connection.close()
        self._console.progress("refused", message)
